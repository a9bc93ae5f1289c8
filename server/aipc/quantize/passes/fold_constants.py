"""Compute beforehand what depends on nothing but constants and shapes.

A graph that was exported for any input size and is used with one still works its grids and reshapes out with Shape,
Range and Expand. onnxruntime folds that away in a float graph; between Q and DQ nodes it does not, and no NPU of
integers takes a Range.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import AttributeProto, numpy_helper

from aipc.core.errors import QairtError
from aipc.graph.index import Array, Graph, attribute
from aipc.numerics.stepper import Stepper, reads

_OTHER = {
    "Bernoulli",
    "DequantizeLinear",
    "Multinomial",
    "QuantizeLinear",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}
"""What gives another value each time, and what was quantized by somebody else."""
_LARGEST = 1 << 20
"""Elements of a constant that is larger than what it is made of."""


def fold_constants(graph: Graph, keep: frozenset[str]) -> int:
    """Put constants in the place of such nodes; how many nodes that were."""
    stepper = Stepper(graph.model)
    folded: list[onnx.NodeProto] = []
    for node in graph.model.graph.node:
        if node.name in keep or any(name in graph.outputs for name in node.output):
            continue
        values = _values(graph, stepper, node)
        if values:
            folded.append(node)
            graph.constants.update({name: numpy_helper.from_array(value, name) for name, value in values.items()})
    outputs = [name for node in folded for name in node.output if name]
    for node in folded:
        graph.model.graph.node.remove(node)
    read = {name for node in graph.model.graph.node for name in reads(node)}
    graph.model.graph.initializer.extend(graph.constants[name] for name in outputs if name in read)
    graph.refresh()
    return len(folded)


def _values(graph: Graph, stepper: Stepper, node: onnx.NodeProto) -> dict[str, Array]:
    """The outputs of a node that can be told now, else nothing."""
    if node.op_type == "Shape":
        shape = graph.shapes.get(node.input[0], ())
        if not shape or not all(shape):
            return {}
        part = slice(attribute(node, "start", 0), attribute(node, "end", None))
        return {node.output[0]: np.array(shape[part], np.int64)}
    arrays = {name: value for name in node.input if (value := graph.array(name)) is not None}
    if not arrays or arrays.keys() != set(filter(None, node.input)) or node.op_type in _OTHER or _has_graph(node):
        return {}
    try:
        values = stepper.run_node(node, arrays)
    except QairtError:  # QAIRT may know what onnxruntime's CPU provider does not
        return {}
    room = max(_LARGEST, sum(value.size for value in arrays.values()))
    return values if sum(value.size for value in values.values()) <= room else {}


def _has_graph(node: onnx.NodeProto) -> bool:
    return any(item.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for item in node.attribute)
