"""A graph as a viewer needs it: no weights, and of a large graph only what is near some nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import onnx
from onnx import helper

from aipc.core.errors import ModelLoadError
from aipc.core.types import Event

_KEPT_ELEMENTS = 64
"""Constants up to this size keep their values: axes, shapes, scales."""


def outline(
    report: Callable[[Event], None], *, model: str, out: str, around: tuple[str, ...] = (), hops: int = 0
) -> int:
    """Write ``model`` to ``out`` without the values of its large initializers; returns the number of nodes.

    Args:
        around: names of nodes; when given, only nodes at most ``hops`` edges away from one of them are kept, and
            what they read from elsewhere becomes an input of the graph.

    Raises:
        ModelLoadError: the file is not ONNX.
    """
    try:
        graph = onnx.load(model, load_external_data=False)
    except Exception as error:
        raise ModelLoadError(
            f"{Path(model).name} is not a readable ONNX file", remedy="export it again", detail=str(error)
        ) from error
    for tensor in graph.graph.initializer:
        elements = 1
        for dimension in tensor.dims:
            elements *= dimension
        if elements > _KEPT_ELEMENTS or tensor.data_location == onnx.TensorProto.EXTERNAL:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "external_data"):
                tensor.ClearField(field)
            tensor.data_location = onnx.TensorProto.DEFAULT
    if around:
        graph = _part(graph, _near(graph.graph, around, hops))
    onnx.save(graph, out)
    return len(graph.graph.node)


def _near(graph: onnx.GraphProto, around: Iterable[str], hops: int) -> set[str]:
    """Names of the nodes at most ``hops`` edges away from those named."""
    users: dict[str, set[str]] = defaultdict(set)
    for node in graph.node:
        for tensor in (*node.input, *node.output):
            if tensor:
                users[tensor].add(node.name)
    constant = {tensor.name for tensor in graph.initializer}
    tensors = {node.name: [name for name in (*node.input, *node.output) if name] for node in graph.node}
    found = set(around) & set(tensors)
    edge = set(found)
    for _ in range(hops):
        touched = {name for node in edge for name in tensors[node] if name not in constant}
        edge = {node for name in touched for node in users[name]} - found
        found |= edge
    return found


def _part(model: onnx.ModelProto, kept: set[str]) -> onnx.ModelProto:
    nodes = [node for node in model.graph.node if node.name in kept]
    made = {name for node in nodes for name in node.output}
    read = {name for node in nodes for name in node.input if name}
    initializers = [tensor for tensor in model.graph.initializer if tensor.name in read]
    constant = {tensor.name for tensor in initializers}
    types = {value.name: value for value in (*model.graph.value_info, *model.graph.input, *model.graph.output)}
    elsewhere = {name for node in model.graph.node if node.name not in kept for name in node.input}
    ends = {value.name for value in model.graph.output} | elsewhere
    inputs = [types.get(name, helper.make_empty_tensor_value_info(name)) for name in sorted(read - made - constant)]
    outputs = [types.get(name, helper.make_empty_tensor_value_info(name)) for name in sorted(made & ends)]
    graph = helper.make_graph(nodes, model.graph.name, inputs, outputs, initializers)
    part = helper.make_model(graph, opset_imports=model.opset_import, functions=model.functions)
    part.ir_version = model.ir_version
    return part
