"""What a user may take although it misses the accuracy that is asked for by default.

The numbers of a package are the user's to judge, down to the floor below which they are of no use to anybody. NaN, a
task metric and nodes off the NPU are no matter of decibels, and are not accepted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from aipc.core.probes import ProbeResult, ProbeStatus
from aipc.core.types import Gate, OutputAccuracy

from .gates import FLOOR_SQNR_DB
from .outcome import Outcome

HINT = "aipc deploy --accept takes the package at {:.1f} dB"


def reached_db(outcome: Outcome, outputs: Sequence[OutputAccuracy], probes: Sequence[ProbeResult] = ()) -> float | None:
    """The SQNR in dB that a user may accept, the worst over outputs and probes; None where nothing can be accepted."""
    if outcome.failed is None or outcome.failed.name != "verify" or outcome.gate is None:
        return None
    failed = [probe for probe in probes if probe.status is ProbeStatus.FAILED]
    figures = [*(item.sqnr_db for item in outputs), *(probe.package_sqnr_db or -math.inf for probe in failed)]
    unusable = any(item.nan or item.inf for item in outputs) or any(map(math.isnan, figures))
    if outcome.gate.metric != "sqnr_db" or unusable or not figures:
        return None
    worst = min(figures)
    return worst if worst >= FLOOR_SQNR_DB else None


def accept(outcome: Outcome, reached: float) -> Outcome:
    """The outcome with the missed gate passed at what was reached, and recorded as accepted."""
    gate = outcome.gate
    assert gate is not None and outcome.failed is not None
    level = math.floor(reached * 10) / 10
    detail = f"accepted by the user at {reached:.1f} dB instead of {gate.threshold:.1f} dB; {gate.detail}"
    passed = replace(gate, threshold=level, ok=True, detail=detail, accepted=True)
    return _with_gate(outcome, passed, failed=False)


def offer(outcome: Outcome, reached: float) -> Outcome:
    """The outcome whose missed gate says how to accept it."""
    gate = outcome.gate
    assert gate is not None
    return _with_gate(outcome, replace(gate, detail=f"{gate.detail}; {HINT.format(reached)}"), failed=True)


def _with_gate(outcome: Outcome, gate: Gate, *, failed: bool) -> Outcome:
    assert outcome.failed is not None
    record = replace(outcome.failed, gate=gate)
    return replace(outcome, records=(*outcome.records[:-1], record), failed=record if failed else None)
