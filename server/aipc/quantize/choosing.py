"""Search for the cheapest precision that passes: which candidates, in which order, and when to stop.

The search knows no compiler: it asks its ``Bench`` to make a candidate and to say which nodes introduce the error.
It is deterministic: the same answers give the same candidates in the same order, which is what makes it resumable
where the bench keeps its answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from aipc.core.accuracy import NodeAccuracy
from aipc.core.frontier import MEASURED, PLANNED, Frontier, Tried, cheapest

from .plan import UNIFORM, QuantizationPlan, plan_for

MOST_MIXED = 8
"""Candidates with nodes kept higher; halving an interval, they tell 128 ranks apart."""
HOPELESS_DB = 15.0
"""Other ranges were seen to bring up to 10 dB; farther from the threshold than this they are not tried."""
SECONDS = 900.0

Keep = Callable[[tuple[str, ...]], QuantizationPlan]
"""The plan with some nodes in a higher precision."""


class Bench(Protocol):
    """What makes candidates. Every answer is of the compiled package in the simulator, or on the device."""

    fp16: bool
    """Whether the NPU of the SoC computes in fp16."""

    def threshold_db(self, plan: QuantizationPlan | None) -> float:
        """The SQNR that a candidate of this plan must reach."""

    def make(self, plan: QuantizationPlan | None, label: str, measure: str) -> Tried:
        """Quantize, compile, run and gate one candidate; None is fp16. What QAIRT refuses is a Tried that failed."""

    def blame(self, plan: QuantizationPlan) -> NodeAccuracy | None:
        """Which nodes of this candidate introduce the error; None when it could not be made."""


@dataclass(slots=True)
class Search:
    """One search and what it has tried so far."""

    bench: Bench
    seconds: float = SECONDS
    tried: list[Tried] = field(default_factory=list)
    plans: dict[str, QuantizationPlan | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    blamed: tuple[QuantizationPlan, NodeAccuracy] | None = None
    """The plan whose worst nodes were kept in a higher precision, and what its nodes introduce."""
    ceilings: set[str] = field(default_factory=set)
    """Candidates that tell what nodes at 16 bits can bring; taken only where no mixture passes."""
    _started: float = field(default_factory=time.monotonic)

    def auto(self) -> Frontier:
        """The cheapest of w8a8, w8a8 with other ranges, w8a8 with few nodes higher, w8a16 (with fp16 islands), fp16."""
        narrow = self._try(plan_for("w8a8"), "8-bit activations")
        wide = self._try(plan_for("w8a16"), "16-bit activations")
        half = self._try(None, "half precision") if self.bench.fp16 else None
        if not narrow.ok:
            base = self._other_ranges(narrow)
            if not base.ok and wide.ok and not self._keep_higher(base).ok:
                self._equalize(base)
        if not wide.ok and not self._passed_below(wide):
            base = self._equalize(self._other_ranges(wide))
            if not base.ok and half is not None and half.ok:
                self._keep_float(base)
        return self.frontier()

    def mixed(self) -> Frontier:
        """w8a8 with the fewest nodes kept at 16 bits, or in fp16 where 16 bits do not do."""
        narrow = self._try(plan_for("w8a8"), "8-bit activations")
        if not narrow.ok and not self._widened(narrow).ok and self.bench.fp16:
            self._keep_float(self._equalize(narrow))
        return self.frontier()

    def correct(self, plan: QuantizationPlan) -> Frontier:
        """``plan``, and while it fails: other ranges, equalized channels, and the worst nodes in a higher precision."""
        first = self._try(plan, f"{plan.label} as it was asked for")
        base = self._equalize(self._other_ranges(first))
        if base.ok:
            return self.frontier()
        kept = self._widened(base) if plan.activation_bits == 8 else base
        if not kept.ok and self.bench.fp16:
            self._keep_float(base)
        return self.frontier()

    def frontier(self) -> Frontier:
        tried = tuple(self.tried)
        best = cheapest(tuple(item for item in tried if item.label not in self.ceilings)) or cheapest(tried)
        notes = [*self.notes, *(_cheaper(item, best) for item in tried if item.label in self.ceilings and best)]
        passed = [item for item in tried if item.ok]
        by_latency = bool(passed) and all(item.latency_ms is not None for item in passed)
        return Frontier(
            tried,
            best.label if best else None,
            MEASURED if by_latency else PLANNED,
            self.bench.threshold_db(self.plans[best.label] if best else self._nearest()),
            notes=tuple(filter(None, notes)),
        )

    def chosen(self, frontier: Frontier) -> QuantizationPlan | None:
        """The plan of the candidate that was chosen, or of the nearest one when none passed; None is fp16."""
        if frontier.chosen is not None:
            return self.plans[frontier.chosen]
        return self._nearest()

    def _nearest(self) -> QuantizationPlan | None:
        return self.plans[max(self.tried, key=_reached).label]

    def _try(self, plan: QuantizationPlan | None, measure: str) -> Tried:
        label = self._label(plan)
        known = next((item for item in self.tried if self.plans[item.label] == plan), None)
        if known is not None:
            return known
        made = self.bench.make(plan, label, measure)
        self.tried.append(made)
        self.plans[label] = plan
        return made

    def _label(self, plan: QuantizationPlan | None) -> str:
        if plan is None:
            return "fp16"
        label = plan.label
        uniform = f"w{plan.weight_bits}a{plan.activation_bits}"
        if uniform not in UNIFORM or plan.range_method != plan_for(uniform).range_method:
            label += f" {plan.range_method}"
        same = sum(item.label == label or item.label.startswith(f"{label} #") for item in self.tried)
        return f"{label} #{same + 1}" if same else label

    def _passed_below(self, item: Tried) -> bool:
        return any(other.ok and other.cost <= item.cost for other in self.tried)

    def _out_of_time(self) -> bool:
        if time.monotonic() - self._started < self.seconds:
            return False
        note = f"the search stopped after {self.seconds:.0f} s; run it again to go on where it was"
        if note not in self.notes:
            self.notes.append(note)
        return True

    def _other_ranges(self, first: Tried) -> Tried:
        """The best of the candidate with other ranges; itself when it is too far from the threshold."""
        plan = self.plans[first.label]
        best = first
        if plan is None or first.ok or _reached(first) < self.bench.threshold_db(plan) - HOPELESS_DB:
            return best
        if plan.range_method == "measured" or self._out_of_time():
            return best
        made = self._try(replace(plan, range_method="measured", range_parameter=None), "ranges by measured outputs")
        return made if made.ok or _reached(made) > _reached(best) else best

    def _equalize(self, base: Tried) -> Tried:
        """The candidate with equalized channels where that is nearer to what is wanted, else itself."""
        plan = self.plans[base.label]
        if base.ok or plan is None or plan.equalize or self._out_of_time():
            return base
        made = self._try(replace(plan, equalize=True), "channels equalized between the layers")
        return made if made.ok or _reached(made) > _reached(base) else base

    def _widened(self, base: Tried) -> Tried:
        """Of the 8-bit candidate the one with the fewest nodes at 16 bits that passes, at the most all of them.

        All of them come first: where that does not pass it is not the activations, and no choice among them does.
        """
        plan = self.plans[base.label]
        assert plan is not None
        method = plan_for("w8a16").range_method
        for equalize in dict.fromkeys((plan.equalize, True)):
            if self._out_of_time():
                break
            narrow = replace(plan, equalize=equalize)
            whole = self._try(
                replace(narrow, activation_bits=16, range_method=method, range_parameter=None, higher=()),
                f"16-bit activations{', channels equalized' if equalize else ''}",
            )
            self.ceilings.add(whole.label)
            if whole.ok:
                kept = self._keep_higher(self._try(narrow, "channels equalized between the layers"))
                return kept if kept.ok else whole
        return base

    def _keep_higher(self, base: Tried) -> Tried:
        plan = self.plans[base.label]
        assert plan is not None
        return self._fewest(base, plan, lambda names: replace(plan, higher=names), "16 bits")

    def _keep_float(self, base: Tried) -> Tried:
        plan = self.plans[base.label]
        assert plan is not None
        return self._fewest(base, plan, lambda names: replace(plan, float_nodes=names), "fp16")

    def _fewest(self, base: Tried, plan: QuantizationPlan, keep: Keep, words: str) -> Tried:
        """The plan with as few groups of nodes kept in a higher precision as pass, the worst ones first.

        The effects say how many are needed; the interval between too few and enough is then halved.
        """
        found = self.bench.blame(plan)
        self.blamed = (plan, found) if found else self.blamed
        ranking = ranked(found) if found else []
        if not ranking:
            return base
        few, enough, best = 0, len(ranking) + 1, base
        count = needed(ranking, self.bench.threshold_db(plan), base.sqnr_db)
        for _ in range(MOST_MIXED):
            if self._out_of_time():
                break
            kept = tuple(name for group in ranking[:count] for name in group.nodes)
            title = (
                f"the {count} worst of {len(ranking)} layers in {words}" if count > 1 else f"the worst layer in {words}"
            )
            made = self._try(keep(kept), title)
            if made.ok:
                enough, best = count, made
            else:
                few = count
                best = made if not best.ok and _reached(made) > _reached(best) else best
            if enough - few <= 1:
                break
            count = (few + enough) // 2 if enough <= len(ranking) else min(max(count + 1, 2 * count), len(ranking))
            if count in (few, enough):
                break
        return best


@dataclass(frozen=True, slots=True)
class Suspect:
    """A group of nodes that is kept higher as one, and the noise power that it alone puts on the outputs."""

    nodes: tuple[str, ...]
    power: float


def ranked(found: NodeAccuracy) -> list[Suspect]:
    """The groups that introduce error, the worst first."""
    groups: dict[tuple[str, ...], float] = {}
    for name, error in found.nodes.items():
        if error.effect_sqnr_db is None or error.effect_sqnr_db == float("inf"):
            continue
        nodes = error.group or (name,)
        groups[nodes] = groups.get(nodes, 0.0) + 10 ** (-max(error.effect_sqnr_db, -300.0) / 10)
    return sorted(
        (Suspect(nodes, power) for nodes, power in groups.items()), key=lambda item: (-item.power, item.nodes)
    )


def needed(ranking: Sequence[Suspect], threshold_db: float, reached_db: float | None) -> int:
    """How many of the worst groups must go for the rest to pass, by adding noise powers.

    The powers are scaled so that all of them together give what the candidate reached.
    """
    total = sum(item.power for item in ranking)
    scale = 10 ** (-reached_db / 10) / total if reached_db is not None and total else 1.0
    allowed = 10 ** (-threshold_db / 10)
    left = total
    for count, item in enumerate(ranking, 1):
        left -= item.power
        if left * scale <= allowed:
            return count
    return len(ranking)


def _cheaper(item: Tried, best: Tried) -> str:
    """What tells that a candidate nobody asked for costs less than the one that is taken; empty where it does not."""
    if not item.ok or item is best or None in (item.traffic_bytes, best.traffic_bytes) or item.cost >= best.cost:
        return ""
    moved = f"{(item.traffic_bytes or 0) / 1e6:.1f} MB of DDR instead of {(best.traffic_bytes or 0) / 1e6:.1f} MB"
    return f"{item.label} passes too and is planned to move {moved}"


def _reached(item: Tried) -> float:
    return float("-inf") if item.sqnr_db is None else item.sqnr_db
