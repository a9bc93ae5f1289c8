"""Search for the cheapest precision that passes: which plans, which remedies for them, and which one is taken."""

from __future__ import annotations

from dataclasses import replace

from aipc.core.frontier import MEASURED, PLANNED, Frontier, Tried, cheapest
from aipc.quantize.plan import plan_for

from .attempt import Attempt, merit
from .attempts import Attempts
from .remedies.equalize_channels import REMEDY as EQUALIZE_CHANNELS
from .remedies.fp16_islands import REMEDY as FP16_ISLANDS
from .remedies.higher_layers import REMEDY as HIGHER_LAYERS
from .remedies.measured_ranges import REMEDY as MEASURED_RANGES
from .stages import stage_order
from .variant import Variant

REMEDIES = (MEASURED_RANGES, EQUALIZE_CHANNELS, HIGHER_LAYERS, FP16_ISLANDS)
"""What the search applies in an order of its own; the other remedies are for what it leaves failed."""


def search(attempts: Attempts, base: Variant, precision: str, *, quantized_io: bool = False) -> Attempt:
    """The attempt to deploy for ``auto`` or ``mixed``: the cheapest that passes, or the nearest where none does.

    Args:
        base: the variant whose plan is searched.
        quantized_io: the package takes and gives the integers themselves.
    """
    base = replace(base, held_out=True)

    def attempt(name: str, measure: str) -> Attempt:
        return attempts.attempt(base.with_plan(replace(plan_for(name), quantized_io=quantized_io)), measure)

    narrow = attempt("w8a8", "8-bit activations")
    if not narrow.ok and stage_order(narrow.stage) < stage_order("calibrate"):
        # The float graph is at fault, and with it every plan.
        narrow = attempts.repair(narrow, without=REMEDIES)
        if stage_order(narrow.stage) < stage_order("calibrate"):
            return narrow
        base = narrow.variant
    if precision == "mixed":
        _mixed(attempts, narrow)
    else:
        wide = attempt("w8a16", "16-bit activations")
        half = attempts.attempt(base.with_plan(None), "half precision") if attempts.bench.fp16 else None
        _auto(attempts, narrow, wide, half)
    chosen = choose(attempts)
    if not chosen.ok:
        attempts.repair(chosen, without=REMEDIES)
        chosen = choose(attempts)
    return chosen


def _auto(attempts: Attempts, narrow: Attempt, wide: Attempt, half: Attempt | None) -> None:
    """The cheapest of w8a8, w8a8 with other ranges, w8a8 with few nodes higher, w8a16 (with fp16 islands), fp16."""
    base = attempts.apply(MEASURED_RANGES, narrow)
    if not base.ok and wide.ok:
        attempts.apply(HIGHER_LAYERS, base)
        if not any(attempt.ok and attempt.plan and attempt.plan.higher for attempt in attempts.by_variant.values()):
            attempts.apply(EQUALIZE_CHANNELS, base)
    cheaper = any(
        attempt.ok and attempt.candidate.cost <= wide.candidate.cost for attempt in attempts.by_variant.values()
    )
    if not wide.ok and not cheaper:
        base = attempts.apply(EQUALIZE_CHANNELS, attempts.apply(MEASURED_RANGES, wide))
        if half is not None and half.ok:
            attempts.apply(FP16_ISLANDS, base)


def _mixed(attempts: Attempts, narrow: Attempt) -> None:
    """w8a8 with the fewest nodes kept at 16 bits, or in fp16 where 16 bits do not do."""
    if not attempts.apply(HIGHER_LAYERS, narrow).ok and attempts.bench.fp16:
        attempts.apply(FP16_ISLANDS, attempts.apply(EQUALIZE_CHANNELS, narrow))


def choose(attempts: Attempts) -> Attempt:
    """The cheapest attempt that passed, one that shows what a change can bring at the most only for want of others."""
    best = _cheapest(attempts)
    every_attempt = attempts.by_variant.values()
    if best is not None:
        return next(item for item in every_attempt if item.candidate is best)
    return max(every_attempt, key=merit)


def _cheapest(attempts: Attempts) -> Tried | None:
    candidates = tuple(
        attempt.candidate for variant, attempt in attempts.by_variant.items() if variant not in attempts.ceilings
    )
    return cheapest(candidates) or cheapest(tuple(attempt.candidate for attempt in attempts.by_variant.values()))


def frontier(attempts: Attempts) -> Frontier:
    """Every attempt that got as far as to be quantized or compiled, and which one is taken."""
    reached = [
        attempt for attempt in attempts.by_variant.values() if stage_order(attempt.stage) >= stage_order("calibrate")
    ]
    tried = tuple(attempt.candidate for attempt in reached)
    best = _cheapest(attempts)
    ceilings = [attempt.candidate for attempt in reached if attempt.variant in attempts.ceilings]
    notes = [*attempts.notes, *(_cheaper(item, best) for item in ceilings if best)]
    passed = [item for item in tried if item.ok]
    by_latency = bool(passed) and all(item.latency_ms is not None for item in passed)
    return Frontier(
        tried,
        best.label if best else None,
        MEASURED if by_latency else PLANNED,
        attempts.bench.threshold_db(choose(attempts).plan),
        notes=tuple(filter(None, notes)),
    )


def _cheaper(item: Tried, best: Tried) -> str:
    """Says that a candidate nobody asked for costs less than the one that is taken; empty where it does not."""
    if not item.ok or item is best or None in (item.traffic_bytes, best.traffic_bytes) or item.cost >= best.cost:
        return ""
    moved = f"{(item.traffic_bytes or 0) / 1e6:.1f} MB of DDR instead of {(best.traffic_bytes or 0) / 1e6:.1f} MB"
    return f"{item.label} passes too and is planned to move {moved}"
