"""Which tensors of a graph may hold infinities or NaN: what preconditions of rules are checked against.

Non-finite numbers enter a graph in two ways: in constants (``-inf`` of an attention mask), and in inputs that the
graph itself looks at for them (``isinf``, ``isnan``, ``x != x``). Other inputs count as finite, and so does the result
of finite numbers: an overflow, or a division by zero, is no number that the model means, and the NPU's fp16 holds
neither infinities nor NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx_ir as ir

from . import graph as read
from .proofs import NonFinite
from .rule import NoMatch

_BOUNDED = ("Erf", "HardSigmoid", "Sigmoid", "Softmax", "Tanh", "Atan", "Sign")
_SIGNED = ("Abs", "Conv", "ConvTranspose", "Div", "Einsum", "Gemm", "MatMul", "Mul", "Neg", "Sub")
_CARRYING = frozenset(
    {
        *("Abs", "Add", "Cast", "Clip", "Concat", "Div", "Expand", "Flatten", "Gather", "Identity", "Max", "Min"),
        *("Mul", "Neg", "Pad", "Relu", "Reshape", "Slice", "Split", "Squeeze", "Sub", "Tile", "Transpose"),
        *("Unsqueeze", "Where"),
    }
)
"""What an element passes through and can still be told to be infinite: data movement and elementwise arithmetic."""


class NonFiniteValues(dict[ir.Value, NonFinite]):
    """Value -> the non-finite numbers that it may hold. Entries are computed when they are asked for."""

    def __init__(self, model: ir.Model) -> None:
        super().__init__()
        self._inputs = _looked_at(model)

    def __missing__(self, value: ir.Value) -> NonFinite:
        for item in _unknown(value, self):
            self[item] = self._of(item)
        return self[value]

    def require(self, excluded: NonFinite, nodes: Sequence[ir.Node]) -> None:
        """Raise NoMatch when ``nodes`` read a tensor of the graph that may hold one of the numbers ``excluded``."""
        if not excluded:
            return
        inner = {value for node in nodes for value in node.outputs}
        for value in {value for node in nodes for value in node.inputs if value is not None} - inner:
            there = self[value] & excluded
            if there and read.constant(value) is None:
                what = {NonFinite.NAN: "NaN", NonFinite.POSITIVE: "+inf", NonFinite.NEGATIVE: "-inf"}
                kinds_text = " or ".join(text for kind, text in what.items() if there & kind)
                raise NoMatch(f"{value.name} may hold {kinds_text}, for which the rule does not hold")

    def _of(self, value: ir.Value) -> NonFinite:
        if value.dtype is not None and value.dtype.numpy().kind != "f":
            return NonFinite.NONE
        tensor = ir.convenience.get_const_tensor(value)
        if tensor is not None and not value.is_graph_input():
            return _of_array(np.asarray(tensor.numpy()))
        node = value.producer()
        if node is None:
            return self._inputs.get(value, NonFinite.NONE)
        return _of_node(node, [self.get(item, NonFinite.NONE) for item in node.inputs if item is not None])


def undecidable(model: ir.Model) -> tuple[str, ...]:
    """Names of the IsNaN nodes that may read infinities: fp16 on the NPU holds both as one number."""
    values = NonFiniteValues(model)
    return tuple(
        node.name or ""
        for node in model.graph
        if node.op_type == "IsNaN" and values[read.required(node, 0)] & NonFinite.INFINITE
    )


def _of_array(array: np.ndarray) -> NonFinite:
    if array.dtype.kind != "f":
        return NonFinite.NONE
    kinds = NonFinite.NONE
    for kind, present in (
        (NonFinite.POSITIVE, np.isposinf(array).any()),
        (NonFinite.NEGATIVE, np.isneginf(array).any()),
        (NonFinite.NAN, np.isnan(array).any()),
    ):
        kinds |= kind if present else NonFinite.NONE
    return kinds


def _of_node(node: ir.Node, inputs: Sequence[NonFinite]) -> NonFinite:
    every = NonFinite.NONE
    for kind in inputs:
        every |= kind
    op = node.op_type
    if op == "Clip":
        every = inputs[0] | _of_limits(node)
    if op in ("Max", "Min", "Clip", "Relu"):
        return _limited(node, every)
    if op in _BOUNDED:
        # A row of a softmax that is -inf everywhere is NaN.
        return NonFinite.NAN if every & NonFinite.NAN or (op == "Softmax" and every) else NonFinite.NONE
    if op in ("Sin", "Cos", "Tan"):
        return NonFinite.NAN if every else NonFinite.NONE
    if op == "Exp":
        return every & (NonFinite.POSITIVE | NonFinite.NAN)
    if op in _SIGNED and every & NonFinite.INFINITE:
        every |= NonFinite.INFINITE
    if op not in _CARRYING - {"Add", "Sub", "Mul", "Div"} and every & NonFinite.INFINITE:
        every |= NonFinite.NAN  # inf - inf, 0 * inf
    return every


def _of_limits(node: ir.Node) -> NonFinite:
    """What the limits of a Clip may put into its result: no limit at all is often written as an infinity."""
    kinds = NonFinite.NONE
    for place, harmless in ((1, NonFinite.NEGATIVE), (2, NonFinite.POSITIVE)):
        array = read.constant(limit) if (limit := read.argument(node, place)) is not None else None
        kinds |= _of_array(array) & ~harmless if array is not None else NonFinite.NONE
    return kinds


def _limited(node: ir.Node, every: NonFinite) -> NonFinite:
    """Max, Min, Clip and Relu: a finite limit takes the infinity on its side away."""
    lower = node.op_type in ("Clip", "Relu") or node.op_type == "Max"
    upper = node.op_type in ("Clip", "Min")
    operands = [value for value in node.inputs if value is not None]
    if node.op_type == "Clip":
        limits = [read.argument(node, place) for place in (1, 2)]
        bounds = [value is not None and _is_finite(value) for value in limits]
        lower, upper = bounds
    elif node.op_type in ("Max", "Min"):
        finite = any(_is_finite(value) for value in operands)
        lower, upper = lower and finite, upper and finite
    possible = every
    if lower:
        possible &= ~NonFinite.NEGATIVE
    if upper:
        possible &= ~NonFinite.POSITIVE
    return possible


def _is_finite(value: ir.Value) -> bool:
    array = read.constant(value)
    return array is not None and bool(np.isfinite(array).all())


def _unknown(value: ir.Value, known: dict[ir.Value, NonFinite]) -> list[ir.Value]:
    """``value`` and what it is computed from, as far as it is not known, readers last."""
    order: dict[ir.Value, None] = {}
    stack: list[tuple[ir.Value, bool]] = [(value, False)]
    while stack:
        item, expanded = stack.pop()
        if expanded:
            order[item] = None
            continue
        if item in known or item in order:
            continue
        stack.append((item, True))
        node = item.producer()
        if node is not None:
            stack.extend((source, False) for source in node.inputs if source is not None)
    return list(order)


def _looked_at(model: ir.Model) -> dict[ir.Value, NonFinite]:
    """Graph inputs -> what the graph looks for in them, by ``IsInf``, ``IsNaN`` or a comparison with itself."""
    kinds: dict[ir.Value, NonFinite] = {}
    for node in model.graph:
        for kind, values in _looks_for(node):
            for value in _sources(values):
                kinds[value] = kinds.get(value, NonFinite.NONE) | kind
    return kinds


def _looks_for(node: ir.Node) -> Iterable[tuple[NonFinite, list[ir.Value]]]:
    inputs = [value for value in node.inputs if value is not None]
    if node.op_type == "IsInf":
        yield NonFinite.INFINITE, inputs
    elif node.op_type == "IsNaN" or (node.op_type == "Equal" and inputs[0] is inputs[1]):
        yield NonFinite.NAN, inputs
    elif node.op_type in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
        constants = [value for value in inputs if (array := read.constant(value)) is not None and _of_array(array)]
        if constants:
            yield NonFinite.INFINITE, [value for value in inputs if value not in constants]


def _sources(values: Iterable[ir.Value]) -> set[ir.Value]:
    """Graph inputs whose elements reach one of ``values``."""
    origins: set[ir.Value] = set()
    visited: set[ir.Value] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        if value in visited:
            continue
        visited.add(value)
        node = value.producer()
        if node is None:
            if value.is_graph_input():
                origins.add(value)
        elif node.op_type in _CARRYING:
            stack.extend(item for item in node.inputs if item is not None)
    return origins
