"""Whether a captured graph is quantized already: trained with fake quantization, or written with scales by a tool."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx_ir as ir
from onnx import TensorProto

_BITS: dict[int, int] = {
    TensorProto.UINT4: 4,
    TensorProto.INT4: 4,
    TensorProto.UINT8: 8,
    TensorProto.INT8: 8,
    TensorProto.UINT16: 16,
    TensorProto.INT16: 16,
}
_OPSET_OF_16_BITS = 21
"""The first operator set whose QuantizeLinear knows 16 bits; onnxruntime has a form of its own before."""


def own_bits(path: Path) -> tuple[int, int] | None:
    """(bits of weights, bits of activations) of a graph with scales of its own for activations; None without them.

    The widest, where there are several. Weights without scales of their own have 8 bits.
    """
    if b"QuantizeLinear" not in path.read_bytes():
        return None
    graph = onnx.load(path, load_external_data=False).graph
    kinds = _constant_kinds(graph)
    fixed = set(kinds)
    activations: set[int] = set()
    weights: set[int] = set()
    for node in graph.node:
        is_fixed = bool(node.input) and all(name in fixed for name in node.input if name)
        if is_fixed:
            fixed.update(node.output)
        if node.op_type == "QuantizeLinear":
            zero = node.input[2] if len(node.input) > 2 else ""
            (weights if is_fixed else activations).add(_BITS.get(kinds.get(zero, TensorProto.UINT8), 0))
        elif node.op_type == "DequantizeLinear" and node.input[0] in kinds:
            weights.add(_BITS.get(kinds[node.input[0]], 0))
    return (max(weights - {0}, default=8), max(activations)) if activations - {0} else None


def use_microsoft_domain(model: ir.Model) -> None:
    """Give quantization to 16 bits the form that onnxruntime has for it before opset 21."""
    if (model.graph.opset_imports.get("") or _OPSET_OF_16_BITS) >= _OPSET_OF_16_BITS:
        return
    for node in model.graph:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"} and not node.domain and len(node.inputs) > 2:
            zero = node.inputs[2]
            if zero is not None and zero.dtype in {ir.DataType.UINT16, ir.DataType.INT16}:
                node.domain = "com.microsoft"
                model.graph.opset_imports["com.microsoft"] = 1


def _constant_kinds(graph: onnx.GraphProto) -> dict[str, int]:
    kinds = {item.name: item.data_type for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            kinds[node.output[0]] = node.attribute[0].t.data_type
    return kinds
