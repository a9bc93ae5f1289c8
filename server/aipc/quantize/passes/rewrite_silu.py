"""SiLU with 16-bit activations over few rows: a defect of the compiler, and another form of the gate that has it not.

Conv -> Sigmoid -> Mul with 16-bit activations and 9 to 12 rows gives 1 to 8 dB where the same integers on the CPU give
40, on v68 and v75 alike and not the same twice (QAIRT 2.51). With 8 or 13 rows, with 8 bits, or with another gate it is
right. In an 8-bit graph 16 bits before or behind the Sigmoid are enough for it. x sigmoid(x) = h + h tanh(h) with
h = x / 2, which is the same function and costs two small operators more.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from onnx import helper

from aipc.graph.index import Graph

ROWS = range(9, 13)


def silus(graph: Graph) -> list[tuple[onnx.NodeProto, onnx.NodeProto]]:
    """(Sigmoid, Mul) of every SiLU on a tensor of 4 dimensions with a number of rows that the defect hits."""
    pairs = []
    for node in graph.model.graph.node:
        if node.op_type != "Sigmoid":
            continue
        gate = graph.sole_consumer(node.output[0])
        shape = graph.shapes.get(node.input[0], ())
        if gate is None or gate.op_type != "Mul" or node.input[0] not in gate.input:
            continue
        if len(shape) == 4 and shape[2] in ROWS:
            pairs.append((node, gate))
    return pairs


def other_gate(
    graph: Graph,
    ranges: dict[str, tuple[float, float]],
    keep: frozenset[str],
    wide: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Write those SiLUs with tanh; the ranges of the new tensors follow from the old ones.

    Args:
        keep: nodes that are left alone. wide: the tensors of 16 bits; None: all.

    Returns:
        The new nodes inside, three for each, which want 16 bits.
    """
    pairs = [pair for pair in silus(graph) if not {pair[0].name, pair[1].name} & keep]
    if wide is not None:
        pairs = [pair for pair in pairs if pair[0].input[0] in wide or pair[0].output[0] in wide]
    names: list[str] = []
    for sigmoid, gate in pairs:
        source, name = sigmoid.input[0], gate.name
        half = graph.add_constant(f"{name}_half_constant", np.array(0.5, np.float32))
        middle, curve, product = f"{name}_half", f"{name}_tanh", f"{name}_product"
        low, high = ranges.get(source, (-1.0, 1.0))
        ranges[middle] = (low / 2, high / 2)
        ranges[curve] = (float(np.tanh(low / 2)), float(np.tanh(high / 2)))
        # h tanh(h) is even and not negative.
        ends = [abs(value / 2 * np.tanh(value / 2)) for value in (low, high)]
        ranges[product] = (0.0, float(max(ends)))
        inner = [
            helper.make_node("Mul", [source, half], [middle], name=f"{name}_halved"),
            helper.make_node("Tanh", [middle], [curve], name=f"{name}_gate"),
            helper.make_node("Mul", [middle, curve], [product], name=f"{name}_gated"),
        ]
        last = helper.make_node("Add", [product, middle], [gate.output[0]], name=name)
        graph.replace([sigmoid, gate], [*inner, last])
        names += [node.name for node in inner]
        for tensor in (middle, curve, product):
            graph.shapes[tensor] = graph.shapes[source]
            graph.model.graph.value_info.append(
                helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, graph.shapes[source])
            )
    return tuple(names)
