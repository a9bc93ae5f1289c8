"""Findings for models that PyTorch cannot export, on the expressions that are to blame."""

from __future__ import annotations

import traceback
from pathlib import Path

from aipc.core.types import Finding, Origin, Related, Severity

from .export import DynamicShapesError, MissingLoweringsError
from .recorder import stack_of_traceback
from .refusals import RefusedError
from .sourcemap import origin
from .wording import DYNAMIC, missing, words_of_export


def findings_of(error: Exception, path: Path) -> tuple[Finding, ...]:
    """What an export failure means, in the author's terms."""
    if isinstance(error, MissingLoweringsError):
        return _missing(error)
    if isinstance(error, DynamicShapesError):
        return _dynamic(error)
    if isinstance(error, RefusedError):
        return _refused(error)
    rule, message = _explain(error)
    place = origin(stack_of_traceback(_deepest(error).__traceback__))
    return (_finding(rule, message, place, _words(error), nodes=()),)


def _missing(error: MissingLoweringsError) -> tuple[Finding, ...]:
    found: dict[tuple[str, int | None], int] = {}
    for item in error.nodes:
        found[item] = found.get(item, 0) + 1
    findings = []
    for operator, number in found:
        place = origin(error.recorder.stacks[number]) if number is not None else Origin(())
        words = f"No ONNX function found for {operator}"
        findings.append(_finding("capture-unsupported-operator", missing(operator), place, words, ()))
    return tuple(findings)


def _dynamic(error: DynamicShapesError) -> tuple[Finding, ...]:
    return tuple(
        _finding(
            "capture-dynamic-shape",
            DYNAMIC,
            origin(error.recorder.stacks[number]) if number is not None else Origin(()),
            f"{operator} has an output shape that depends on the values of its input",
            (),
        )
        for operator, number in dict.fromkeys(error.nodes)
    )


def _refused(error: RefusedError) -> tuple[Finding, ...]:
    return tuple(
        _finding(
            item.rule,
            item.message,
            origin(error.recorder.stacks[item.number]) if item.number is not None else Origin(()),
            item.words,
            (),
        )
        for item in dict.fromkeys(error.refusals)
    )


def _explain(error: Exception) -> tuple[str, str]:
    text = " ".join(f"{type(item).__name__} {item}" for item in _chain(error))
    if known := words_of_export(text):
        return known
    first = str(_deepest(error)).strip().splitlines()
    return (
        "capture-failed",
        f"PyTorch cannot export the model here: {first[0] if first else type(error).__name__}",
    )


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _deepest(error: BaseException) -> BaseException:
    """The error of the chain that passed through the author's code, the first cause of them."""
    chain = [item for item in _chain(error) if stack_of_traceback(item.__traceback__)]
    return chain[-1] if chain else error


def _words(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(_deepest(error))).strip()[:2000]


def _finding(rule: str, message: str, place: Origin, words: str, nodes: tuple[str, ...]) -> Finding:
    frame = place.user_frame
    related = tuple(
        Related(f"in {item.function}", item.range) for item in place.frames if item is not frame and item.library
    )
    return Finding(rule, Severity.ERROR, message, frame.range if frame else None, words, related[:8], nodes)
