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


def words_of_export(text: str) -> tuple[str, str] | None:
    """Rule and sentence for the exporter's words; None for words that are not known."""
    if found := _MISSING.search(text):
        return "capture-unsupported-operator", missing(found[1])
    if _DEPENDS in text:
        return "capture-dynamic-shape", DYNAMIC
    if "DataDependent" in text or "data-dependent" in text.lower():
        return "capture-data-dependent", DATA_DEPENDENT
    if "DynamicOutputShape" in text or "nonzero" in text:
        return "capture-dynamic-shape", DYNAMIC
    return None
