"""Types and shapes of what QuantizeLinear and DequantizeLinear make, written into the graph.

ONNX infers them for its own operators from opset 21 on. Those of an older graph, which 16 bits and scales a channel are
written with all the same, it does not know, and what stands behind them is unknown with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx
from onnx import TensorProto, helper

_SUFFIX = "_QuantizeLinear_Input"
"""What onnxruntime's quantizer calls a graph output before its pair of nodes."""


def fix_shapes(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """``model`` with the shapes that its float tensors were seen to have, where it leaves them open."""
    graph = model.graph
    stated = {value.name: value for value in (*graph.value_info, *graph.output)}
    for name, shape in shapes.items():
        value = stated.get(name)
        if value is None:
            produced = any(name in node.output for node in graph.node)
            graph.value_info.extend([helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] if produced else [])
        elif _dims(value) is None:
            value.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return model


def write_types(model: onnx.ModelProto) -> None:
    """Add what is missing in ``value_info``, as far as it follows from what is there."""
    graph = model.graph
    constants = {item.name: item for item in graph.initializer}
    known: dict[str, tuple[int, Sequence[int] | None]] = {
        value.name: (value.type.tensor_type.elem_type, _dims(value))
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    known |= {item.name: (item.data_type, list(item.dims)) for item in graph.initializer}
    for node in graph.node:
        for name in node.output:
            if name.endswith(_SUFFIX) and name not in known and (end := known.get(name.removesuffix(_SUFFIX))):
                _add(model, known, name, end[0], end[1])
        if node.op_type not in {"QuantizeLinear", "DequantizeLinear"} or node.output[0] in known:
            continue
        zero = constants.get(node.input[2]) if len(node.input) > 2 else None
        integers = zero.data_type if zero is not None else TensorProto.UINT8
        kind = integers if node.op_type == "QuantizeLinear" else TensorProto.FLOAT
        source = known.get(node.input[0])
        _add(model, known, node.output[0], kind, source[1] if source else None)


def _dims(value: onnx.ValueInfoProto) -> list[int] | None:
    kind = value.type.tensor_type
    fixed = kind.HasField("shape") and all(item.HasField("dim_value") for item in kind.shape.dim)
    return [item.dim_value for item in kind.shape.dim] if fixed else None


def _add(
    model: onnx.ModelProto,
    known: dict[str, tuple[int, Sequence[int] | None]],
    name: str,
    kind: int,
    shape: Sequence[int] | None,
) -> None:
    known[name] = (kind, shape)
    model.graph.value_info.append(helper.make_tensor_value_info(name, kind, shape))
