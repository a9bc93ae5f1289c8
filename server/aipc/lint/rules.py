"""From measured verdicts to a finding in the compiler tier's own words and with its rule codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aipc.capture.wording import export_message
from aipc.core.types import Placement, Severity
from aipc.core.wording import sentence
from aipc.ops.measurements import CPU, FAILS, NO_EXPORT, WRONG, Measured
from aipc.qairt.explain import explain, fact_of
from aipc.qairt.soc import SoC

from .answers import KnownVariant

_CLEARLY_WRONG_DB = 20.0
"""SQNR below which numbers are wrong whatever they are used for."""


@dataclass(frozen=True, slots=True)
class LintVerdict:
    """What is said of an expression."""

    rule: str
    severity: Severity
    message: str
    compiler: str | None
    operators: tuple[str, ...] = ()
    """ONNX operators that give wrong numbers, where that is what is said."""


def say(variants: Sequence[KnownVariant], operator: str, soc: SoC, equation: str = "") -> LintVerdict | None:
    """The one thing that all variants say; None where they differ, or where it would have to be guessed."""
    answers = [_of(_with_equation(item, equation), operator, soc) for item in variants]
    first = answers[0] if answers else None
    if first is None or any(
        item is None or (item.rule, item.severity) != (first.rule, first.severity) for item in answers
    ):
        return None
    if all(item.solved for item in variants):
        return replace(
            first, severity=Severity.INFORMATION, message=f"{fact_of(first.message)} Deploy solves this by itself."
        )
    return first


def _with_equation(item: KnownVariant, equation: str) -> KnownVariant:
    """The measurement as it reads for the same equation in the author's letters."""
    measured = item.attributes.get("equation")
    if not equation or not measured:
        return item
    reason = item.measured.reason.replace(str(measured), equation.replace(" ", ""))
    return replace(item, measured=replace(item.measured, reason=reason))


def _of(item: KnownVariant, operator: str, soc: SoC) -> LintVerdict | None:
    measured = item.measured
    if measured.verdict == CPU:
        return _placed(measured, measured.cpu, Placement.CPU, soc)
    if measured.verdict == FAILS:
        return _placed(measured, measured.fails, Placement.FAILS, soc)
    if measured.verdict == NO_EXPORT:
        message = export_message(measured.reason)
        return LintVerdict(message[0], Severity.ERROR, message[1], measured.reason) if message else None
    return _wrong(item, operator, soc) if measured.verdict == WRONG else None


def _placed(measured: Measured, operators: Sequence[str], placement: Placement, soc: SoC) -> LintVerdict | None:
    if not operators:
        return None
    # The reasons stand in the order of the nodes: the first belongs to the first operator.
    reason = measured.reason.split(" / ")[0]
    message = explain(reason, op=operators[0], soc=soc, placement=placement)
    fails = placement is Placement.FAILS or message.rule == "fp16-unsupported"
    severity = Severity.ERROR if fails else Severity.WARNING
    return LintVerdict(message.rule, severity, sentence(message.message, message.remedy), reason or None)


def _wrong(item: KnownVariant, operator: str, soc: SoC) -> LintVerdict | None:
    """Only what is wrong on ordinary values, by far, and wherever the sizes end."""
    measured = item.measured
    if measured.values != "random" or measured.reason.startswith("the exported graph"):
        return None
    if measured.sqnr_db is None or not measured.sqnr_db < _CLEARLY_WRONG_DB or item.attributes.get("ceil_mode"):
        return None
    nodes = item.variant.onnx
    name = nodes[0] if len(nodes) == 1 else operator.rpartition(".")[2]
    example = measured.reason.partition(" at ")[0]
    message = (
        f"the NPU of {soc.title} computes {name} here and gives other numbers than PyTorch: "
        f"{measured.sqnr_db:.1f} dB SQNR when it was measured, for example {example}."
    )
    return LintVerdict("wrong-numbers", Severity.WARNING, message, None, tuple(nodes))
