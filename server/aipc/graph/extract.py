"""Cut a sub-graph out of an ONNX model: what bisection, exclusion and reduction stand on."""

from __future__ import annotations

from collections.abc import Collection

import onnx

from aipc.core.errors import QairtError

_CONVERSIONS = {"QuantizeLinear", "DequantizeLinear"}


def infer_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with the shapes of its intermediate tensors; unchanged when ONNX cannot infer them."""
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:
        return model


def subgraph(model: onnx.ModelProto, keep: Collection[str]) -> onnx.ModelProto:
    """The nodes named in ``keep``, with the tensors that cross the border as inputs and outputs.

    Args:
        model: nodes in topological order, with unique names and with the shapes of intermediate tensors
            in ``value_info`` (see :func:`infer_shapes`).

    Raises:
        QairtError: a tensor that crosses the border has no known type.
    """
    graph = model.graph
    nodes = [node for node in graph.node if node.name in keep]
    produced = {name for node in nodes for name in node.output if name}
    consumed = {name for node in nodes for name in _reads(node)}
    outside = {name for node in graph.node if node.name not in keep for name in _reads(node)}
    ends = {value.name for value in graph.output}
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    types: dict[str, onnx.ValueInfoProto] = {
        value.name: value for value in (*graph.value_info, *graph.input, *graph.output)
    }

    def typed(name: str) -> onnx.ValueInfoProto:
        if name not in types:
            raise QairtError(f"the type of tensor {name!r} is unknown", remedy="export the model with static shapes")
        return types[name]

    needed = sorted(consumed - produced - initializers.keys())
    leaving = [
        name
        for node in nodes
        for name in node.output
        if name and (name in outside or name in ends or (name in types and name not in consumed))
    ]
    part = onnx.ModelProto()
    part.CopyFrom(_shell(model))
    part.graph.name = graph.name
    part.graph.node.extend(nodes)
    part.graph.initializer.extend(tensor for name, tensor in initializers.items() if name in consumed)
    part.graph.input.extend(typed(name) for name in needed)
    part.graph.output.extend(typed(name) for name in leaving)
    part.graph.value_info.extend(value for name, value in types.items() if name in produced and name not in leaving)
    return part


def with_conversions(model: onnx.ModelProto, names: Collection[str]) -> set[str]:
    """The nodes named, and every QuantizeLinear and DequantizeLinear between them and the nearest float tensors."""
    makers = {name: node for node in model.graph.node for name in node.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    names_with_conversions = set(names)
    for node in [node for node in model.graph.node if node.name in names_with_conversions]:
        for name in node.input:
            # Backwards to the integers, and to the float tensor that they are made of.
            for kind in ("DequantizeLinear", "QuantizeLinear"):
                maker = makers.get(name)
                if maker is None or maker.op_type != kind:
                    break
                names_with_conversions.add(maker.name)
                name = maker.input[0]
        for name in node.output:
            for first in (item for item in readers.get(name, ()) if item.op_type == "QuantizeLinear"):
                seconds = readers.get(first.output[0], ())
                names_with_conversions.update(item.name for item in (first, *seconds) if item.op_type in _CONVERSIONS)
    return names_with_conversions


def _shell(model: onnx.ModelProto) -> onnx.ModelProto:
    shell = onnx.ModelProto(ir_version=model.ir_version, producer_name=model.producer_name)
    shell.opset_import.extend(model.opset_import)
    shell.functions.extend(model.functions)
    return shell


def _reads(node: onnx.NodeProto) -> set[str]:
    """Tensors that a node reads, those of the graphs inside its attributes (If, Loop) included."""
    names = {name for name in node.input if name}
    for attribute in node.attribute:
        for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            outputs = {name for item in inner.node for name in item.output} | {item.name for item in inner.initializer}
            names |= {name for item in inner.node for name in _reads(item)} - outputs
    return names
