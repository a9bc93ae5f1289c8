"""float64 and bfloat16 in a captured graph become float32: no NPU computes in either.

What that loses is measured by the gate behind the capture, which compares with PyTorch's own float64 results.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

_LOWERED = {ir.DataType.DOUBLE, ir.DataType.BFLOAT16}
_FLOAT64 = "aipc.float64"
_LARGEST = float(np.finfo(np.float32).max)


def lowered_nodes(graph: ir.Graph) -> tuple[str, ...]:
    """Names of the nodes of a captured graph that PyTorch computes in float64 and the graph in float32."""
    return tuple(node.name or "" for node in graph if _FLOAT64 in node.metadata_props)


def lower_widths(model: ir.Model) -> tuple[ir.Node, ...]:
    """Make every float64 and bfloat16 tensor of ``model`` float32; the nodes whose results changed."""
    changed = []
    for node in model.graph.all_nodes():
        for attribute in list(node.attributes.values()):
            _lower_attribute(node, attribute)
        doubles = any(value.dtype is ir.DataType.DOUBLE for value in node.outputs)
        results = [_lower_type(value) for value in node.outputs]
        if any(results):
            changed.append(node)
        if doubles:
            node.metadata_props[_FLOAT64] = "lowered"
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        _lower_type(value)
    return tuple(changed)


def _lower_type(value: ir.Value) -> bool:
    lowered = value.dtype in _LOWERED
    if lowered:
        value.dtype = ir.DataType.FLOAT
    if value.const_value is not None and value.const_value.dtype in _LOWERED:
        value.const_value = _lower_tensor(value.const_value)
    return lowered


def _lower_tensor(tensor: ir.TensorProtocol) -> ir.TensorProtocol:
    # The lowest float64 serves as "minus infinity" of masks: it becomes the lowest float32.
    array = tensor.numpy().astype(np.float64)
    clipped = np.where(np.isfinite(array), np.clip(array, -_LARGEST, _LARGEST), array)
    return ir.tensor(clipped.astype(np.float32), name=tensor.name)


def _lower_attribute(node: ir.Node, attribute: ir.Attr) -> None:
    if attribute.type is ir.AttributeType.TENSOR and attribute.value.dtype in _LOWERED:
        node.attributes[attribute.name] = ir.AttrTensor(attribute.name, _lower_tensor(attribute.value))
    elif attribute.name in {"to", "dtype"} and ir.DataType(attribute.as_int()) in _LOWERED:
        node.attributes[attribute.name] = ir.AttrInt64(attribute.name, int(ir.DataType.FLOAT))
