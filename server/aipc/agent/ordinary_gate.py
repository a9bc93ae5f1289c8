"""The last gate: outside the sandbox, where nothing of AIPC is loaded, the change answers what was judged."""

from __future__ import annotations

from collections.abc import Mapping

from aipc.core.errors import AipcError, CancelledError

from .bench import Bench
from .job_results import OrdinaryComparison, SideComparison
from .levels import equal_db, level_db, on_set, shown
from .scratch import Scratch
from .verdicts import GateResult

NAME = "ordinary process"
_ATTACK = "behaves in another way outside"


def ordinary_gate(bench: Bench, scratch: Scratch) -> GateResult:
    """Run the accepted change once more in an ordinary Python process.

    Compared are the inputs on which the original answers there as it does in the sandbox.
    """
    reference = bench.reference
    if reference is None or reference.draws:
        return GateResult(NAME, True, f"not compared: {bench.unreferenced}")
    try:
        comparison = bench.in_ordinary_process(scratch)
    except CancelledError:
        raise
    except AipcError as error:
        return GateResult(NAME, False, str(error))
    return same_answers(comparison, reference.floors)


def same_answers(comparison: OrdinaryComparison, floors: Mapping[str, float]) -> GateResult:
    """Whether the change answers outside as it was judged. ``floors``: set -> SQNR in dB of the original's own fp32."""
    steady = {one.set for one in comparison.original if _differs(one, equal_db(floors, one.set)) is None}
    if not steady:
        reason = comparison.original_answers.raised or "it answers otherwise there"
        return GateResult(NAME, True, f"not compared: the original does not run in an ordinary process: {reason}")
    answers = comparison.changed_answers
    if tried := [item for item in answers.tried if item not in comparison.original_answers.tried]:
        return GateResult(NAME, False, f"the code tried: {', '.join(tried)}", attack=tried[0])
    for one in comparison.changed:
        difference = _differs(one, equal_db(floors, one.set))
        if one.set in steady and difference is not None:
            message = f"outside the sandbox, {on_set(one.set)}, it answers otherwise than judged: {difference}"
            return GateResult(NAME, False, message, one.outputs, _ATTACK)
    if missing := steady - set(answers.sets):
        message = f"outside the sandbox it does not run {on_set(sorted(missing)[0])}: {answers.raised}"
        return GateResult(NAME, False, message, attack=_ATTACK)
    return GateResult(NAME, True, f"the same answers on {len(steady)} set(s) of inputs")


def _differs(one: SideComparison, wanted: float) -> str | None:
    """What is not as it was; None when the outputs are equal to ``wanted`` dB."""
    if one.reason:
        return one.reason
    for item in one.outputs:
        if (one.set != "far" or not item.nan + item.inf) and level_db(item) < wanted:
            return f"{item.name} has SQNR {shown(level_db(item))} dB, wanted {wanted:.4g} dB"
    return None
