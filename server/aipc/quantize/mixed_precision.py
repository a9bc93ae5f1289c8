"""Which tensors of an 8-bit graph have 16 bits when some of its nodes are to be kept higher.

A convolution and the Relu behind it are one operator on the NPU and one tensor here: to keep one of them higher is to
keep both, or a conversion between them would bring back the error. What reads the tensor reads 16 bits and gives 8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import onnx

from aipc.graph.index import Graph

_OPERANDS = {"Add", "Concat", "Div", "Max", "Min", "Mul", "Pow", "Sub", "Where"}
"""Operators that want one width for all they take; weights are none of that."""
_FUSED = {"Relu", "Clip"}
_PRODUCERS = {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "BatchNormalization"}


def higher_tensors(model: onnx.ModelProto, higher: Iterable[str]) -> tuple[str, ...]:
    """The activations of ``model`` that have 16 bits for the nodes ``higher``, in graph order.

    The tensors that only surround them stay at 8 bits, with a conversion.
    """
    makers = {name: node for node in model.graph.node for name in node.output if name}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    nodes = set(higher)
    wanted: set[str] = set()
    for node in model.graph.node:
        if node.name not in nodes:
            continue
        for name in filter(None, node.output):
            wanted |= _whole(name, makers, readers)
    return tuple(name for node in model.graph.node for name in node.output if name in wanted)


def separate_constants(graph: Graph, higher: Iterable[str]) -> None:
    """Give every node that computes in 16 bits constants of its own: one that others take too has one width."""
    for node, position in list(_wide_operands(graph.model, higher)):
        name = node.input[position]
        value = graph.array(name)
        if value is not None and len(graph.consumers[name]) > 1:
            node.input[position] = graph.add_constant(f"{node.name}_{position}", value)


def wide_constants(model: onnx.ModelProto, higher: Iterable[str]) -> tuple[str, ...]:
    """Float constants that have 16 bits because their node computes in 16: v68 takes no operands of two widths."""
    return tuple(dict.fromkeys(node.input[position] for node, position in _wide_operands(model, higher)))


def _wide_operands(model: onnx.ModelProto, higher: Iterable[str]) -> Iterator[tuple[onnx.NodeProto, int]]:
    """(node, input) of every float constant beside a tensor of 16 bits, or in what makes one."""
    wide = set(higher_tensors(model, higher))
    constants = {item.name for item in model.graph.initializer if item.data_type == onnx.TensorProto.FLOAT}
    for node in model.graph.node:
        if node.op_type in _OPERANDS and wide.intersection((*node.input, *node.output)):
            yield from ((node, position) for position, name in enumerate(node.input) if name in constants)


def _whole(name: str, makers: dict[str, onnx.NodeProto], readers: dict[str, list[onnx.NodeProto]]) -> set[str]:
    """A tensor with the others of its fused operator."""
    maker = makers[name]
    nodes = {name}
    if maker.op_type in _FUSED and _fused_behind(maker.input[0], makers, readers):
        nodes.add(maker.input[0])
    if _fused_behind(name, makers, readers):
        nodes.update(readers[name][0].output)
    return nodes


def _fused_behind(name: str, makers: dict[str, onnx.NodeProto], readers: dict[str, list[onnx.NodeProto]]) -> bool:
    """Whether a convolution or its like makes ``name`` and one Relu alone reads it."""
    behind: Collection[onnx.NodeProto] = readers.get(name, ())
    maker = makers.get(name)
    return (
        maker is not None
        and maker.op_type in _PRODUCERS
        and len(behind) == 1
        and all(node.op_type in _FUSED and node.input[0] == name for node in behind)
    )
