"""Why a model cannot be exported, in the author's terms: rule codes and sentences. Light."""

from __future__ import annotations

import re

DYNAMIC = "the shape of this result depends on the values of the input; shapes on the NPU are fixed"
DATA_DEPENDENT = (
    "what this computes, or its shape, depends on the values of the input; a graph for the NPU has to be the "
    "same for every input"
)
_MISSING = re.compile(r"No ONNX function found for (\S+)")
_DEPENDS = "has an output shape that depends on the values of its input"


def missing(operator: str) -> str:
    """The sentence for an ATen operator without ONNX form, for example ``aten.svd.default``."""
    short = operator.removeprefix("aten.").removesuffix(".default")
    return f"PyTorch's exporter has no ONNX form of {short}, so this model cannot be captured with it"


def random_numbers(operator: str) -> str:
    """The sentence for an operator that draws random numbers, for example ``randn_like``."""
    return (
        f"{operator} draws random numbers in forward; a graph for the NPU would repeat one drawing for every input. "
        "Draw them outside and give them to forward as an argument"
    )


def changed_state(path: str, *, registered: bool) -> str:
    """The sentence for a buffer (``registered``) or attribute at ``path`` that every call changes and reads."""
    what = f"the buffer {path}" if registered else f"self.{path}"
    contained = "[" in path
    remedy = (
        "Pass it to forward and return it"
        if contained
        else f'Set state = "inputs" for this model: {path} becomes an input and an output of the graph'
    )
    return f"forward changes {what}, which its next call reads; a graph keeps nothing between two runs. {remedy}"


def export_message(text: str) -> tuple[str, str] | None:
    """Rule and sentence for the exporter's words; None for words that are not known."""
    if match := _MISSING.search(text):
        return "capture-unsupported-operator", missing(match[1])
    if _DEPENDS in text:
        return "capture-dynamic-shape", DYNAMIC
    if "DataDependent" in text or "data-dependent" in text.lower():
        return "capture-data-dependent", DATA_DEPENDENT
    if "DynamicOutputShape" in text or "nonzero" in text:
        return "capture-dynamic-shape", DYNAMIC
    return None
