"""The operator set that quantized graphs need."""

from __future__ import annotations

import onnx
from onnx import version_converter

from aipc.graph.extract import infer_shapes

NEEDED = 13
"""The first with a scale for each channel. Before 12 onnxruntime's quantizer leaves MaxPool in float, too, which an NPU
of integers refuses."""


def raise_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with the operator set that is needed; as it is where it has that, or cannot be converted."""
    version = next((item.version for item in model.opset_import if item.domain in {"", "ai.onnx"}), NEEDED)
    if version >= NEEDED:
        return model
    try:
        # With shapes: without them a Softmax along the last axis becomes several nodes.
        converted = version_converter.convert_version(infer_shapes(model), NEEDED)
    except Exception:  # an operator that ONNX cannot convert
        return model
    return converted if _names(model) == _names(converted) else model


def _names(model: onnx.ModelProto) -> list[str]:
    return [node.name for node in model.graph.node if node.op_type != "Constant"]
