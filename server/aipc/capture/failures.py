"""Findings for models that PyTorch cannot export, on the expressions that are to blame."""

from __future__ import annotations

import inspect
import traceback
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb

import torch

from aipc.core.types import Finding, Origin, Position, Range, Related, Severity

from .export import DynamicShapesError, MissingLoweringsError
from .load import LoadedModel
from .recorder import stack_of_traceback
from .refusals import RefusedError
from .sourcemap import constructed_by_author, origin
from .wording import BOX_SELECTION, DYNAMIC, OTHER, export_message, missing


def findings_of(error: Exception, path: Path, loaded: LoadedModel | None = None) -> tuple[Finding, ...]:
    """What an export failure means, in the author's terms.

    Args:
        loaded: the model. Where no line of the author's ran, the finding stands where the module was constructed.
    """
    findings = _scripted(loaded) or _findings_of(error)
    place = None
    if loaded is not None and any(item.range is None for item in findings):
        place = _construction(error, loaded)
    return tuple(item if item.range else replace(item, range=place) for item in findings)


def _scripted(loaded: LoadedModel | None) -> tuple[Finding, ...]:
    """Parts in TorchScript are the cause whatever the exporter stumbled over."""
    parts = loaded.module.named_modules() if loaded is not None else ()
    name = next((name for name, part in parts if isinstance(part, torch.jit.ScriptModule)), None)
    if name is None:
        return ()
    message = f"self.{name} is a TorchScript module, which PyTorch does not export; use the nn.Module it was made from"
    return (_finding("capture-failed", message, Origin(()), "TorchScript", ()),)


def _construction(error: Exception, loaded: LoadedModel) -> Range | None:
    """Where the author's code constructed the innermost module that the error passed through, or defines the model."""
    modules = [frame.f_locals.get("self") for item in _chain(error) for frame, _ in walk_tb(item.__traceback__)]
    for module in (*reversed(modules), loaded.module):
        if isinstance(module, torch.nn.Module):
            stack = loaded.constructions.stack(module)
            if constructed_by_author(stack) and (frame := origin(stack).user_frame):
                return frame.range
    if loaded.ref.kind == "folder":
        return Range(str(loaded.ref.path / "config.json"), Position(1, 0), Position(1, 1))
    try:
        lines, start = inspect.getsourcelines(loaded.source)
    except (TypeError, OSError):
        return None
    text = lines[0].rstrip()
    indent = len(text) - len(text.lstrip())
    return Range(str(loaded.ref.path), Position(start, indent), Position(start, len(text)))


def _findings_of(error: Exception) -> tuple[Finding, ...]:
    if isinstance(error, MissingLoweringsError):
        return _missing(error)
    if isinstance(error, DynamicShapesError):
        return _dynamic(error)
    if isinstance(error, RefusedError):
        return _refused(error)
    rule, message = _explain(error)
    place = origin(stack_of_traceback(_deepest(error).__traceback__))
    return (_finding(rule, message, place, _message(error), nodes=()),)


def _missing(error: MissingLoweringsError) -> tuple[Finding, ...]:
    counts: dict[tuple[str, int | None], int] = {}
    for item in error.nodes:
        counts[item] = counts.get(item, 0) + 1
    findings = []
    for operator, number in counts:
        place = origin(error.recorder.stacks[number]) if number is not None else Origin(())
        message = f"No ONNX function found for {operator}"
        findings.append(_finding("capture-unsupported-operator", missing(operator), place, message, ()))
    return tuple(findings)


def _dynamic(error: DynamicShapesError) -> tuple[Finding, ...]:
    return tuple(
        _finding(
            "capture-dynamic-shape",
            BOX_SELECTION if operator.startswith("torchvision.nms") else DYNAMIC,
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
            item.detail,
            (),
        )
        for item in dict.fromkeys(error.refusals)
    )


def _explain(error: Exception) -> tuple[str, str]:
    if _selects_boxes(error):
        return "capture-dynamic-shape", BOX_SELECTION
    text = " ".join(f"{type(item).__name__} {item}" for item in _chain(error))
    if known := export_message(text):
        return known
    return "capture-failed", OTHER.format(error=type(_deepest(error)).__name__)


_SELECTIONS = {"nms", "batched_nms", "non_max_suppression", "postprocess_detections", "filter_proposals"}


def _selects_boxes(error: Exception) -> bool:
    """Whether the error arose within a function that selects boxes, under the names that detectors give it."""
    return any(
        frame.f_code.co_name in _SELECTIONS for item in _chain(error) for frame, _ in walk_tb(item.__traceback__)
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


def _message(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(_deepest(error))).strip()[:2000]


def _finding(rule: str, message: str, place: Origin, compiler: str, nodes: tuple[str, ...]) -> Finding:
    frame = place.user_frame
    related = tuple(
        Related(f"in {item.function}", item.range) for item in place.frames if item is not frame and item.library
    )
    return Finding(rule, Severity.ERROR, message, frame.range if frame else None, compiler, related[:8], nodes)
