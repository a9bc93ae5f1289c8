"""Why a model cannot be exported, in the author's terms: rule codes and sentences. Light."""

from __future__ import annotations

import re

DYNAMIC = (
    "the shape of this result depends on the values of the input, and shapes on the NPU are fixed: select with "
    "torch.where or a topk of fixed size, or return what comes before it and select on the host"
)
DATA_DEPENDENT = (
    "what this computes, or its shape, depends on the values of the input, and a graph for the NPU is the same for "
    "every input: choose with torch.where, or decide outside of forward"
)
BOX_SELECTION = (
    "non-maximum suppression returns as many boxes as the picture has objects, and shapes on the NPU are fixed: "
    "deploy the backbone and the heads, and select the boxes on the host"
)
HOST_VALUES = (
    "forward leaves PyTorch here, for NumPy or for values in Python, and a graph holds PyTorch operators only: write "
    "this with tensors, or do it before or after the model"
)
OTHER = (
    "PyTorch's exporter cannot trace this expression ({error}): write it with tensor operators of fixed shapes, or do "
    "it before or after the model"
)
_MISSING = re.compile(r"No ONNX function found for (\S+)")
_HOST_VALUES = re.compile(r"\.numpy\(\) is not supported|\.tolist\(\) is not supported|Cannot access data pointer of")
_RETURNED = re.compile(r"Found <class '(?:[\w.]+\.)?(\w+)'> in output")
_DEPENDS = "has an output shape that depends on the values of its input"


def missing(operator: str) -> str:
    """The sentence for an ATen operator without ONNX form, for example ``aten.svd.default``."""
    short = operator.removeprefix("aten.").removesuffix(".default")
    return (
        f"PyTorch's exporter has no ONNX form of {short}, so this model cannot be captured: write it in other operators"
    )


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
    if _HOST_VALUES.search(text):
        return "capture-data-dependent", HOST_VALUES
    if match := _RETURNED.search(text):
        way = "give use_cache=False" if "Cache" in match[1] else "return its tensors"
        return "capture-failed", f"forward returns {match[1]}, whose tensors PyTorch's exporter does not find: {way}"
    if match := _MISSING.search(text):
        return "capture-unsupported-operator", missing(match[1])
    if _DEPENDS in text:
        return "capture-dynamic-shape", DYNAMIC
    if "DataDependent" in text or "data-dependent" in text.lower():
        return "capture-data-dependent", DATA_DEPENDENT
    if "DynamicOutputShape" in text or "nonzero" in text:
        return "capture-dynamic-shape", DYNAMIC
    return None
