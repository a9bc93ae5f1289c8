"""Which rows of an attention mask let nothing through: the guards that ``attention.py`` writes, made exact and cheap.

fp16 cannot tell minus infinity from the lowest float32, so a comparison with minus infinity is wrong on the NPU. Where
a mask of numbers is computed from booleans, its closed places are computed from the same booleans instead. Guards of
masks whose rows are surely open are taken out.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.export.exported_program import ExportedProgram

from .known_values import KnownValues

aten = torch.ops.aten
Node = torch.fx.Node

_SAME_PLACES = {
    aten._unsafe_view.default,
    aten.alias.default,
    aten.clone.default,
    aten.contiguous.default,
    aten.detach.default,
    aten.expand.default,
    aten.flip.default,
    aten.permute.default,
    aten.repeat.default,
    aten.reshape.default,
    aten.select.int,
    aten.slice.Tensor,
    aten.squeeze.default,
    aten.squeeze.dim,
    aten.squeeze.dims,
    aten.transpose.int,
    aten.unsqueeze.default,
    aten.view.default,
}
"""Operators that move numbers and change none."""

_FINITE = {aten.mul.Tensor, aten.mul.Scalar, aten.neg.default, aten.rsub.Scalar, aten.zeros_like.default}
"""Operators that make no infinity of finite numbers, as far as masks are computed with them."""


class _UnknownError(Exception):
    """Whether a number is infinite does not follow from booleans and constants."""


def guard_rows(program: ExportedProgram) -> None:
    """Rewrite the guards of masked attention in ``program``."""
    graph, known = program.graph_module.graph, KnownValues(program)
    for node in list(graph.nodes):
        if node.target is not aten.mul.Tensor or len(node.args) != 2:
            continue
        result, guard = node.args
        if not isinstance(guard, Node) or not isinstance(result, Node):
            continue
        mask = _float_mask_of(guard)
        if mask is not None:
            guard = _guard_from_booleans(node, guard, mask, known)
        elif not _is_boolean_guard(guard):
            continue
        value = None if guard is None else known.of(guard)
        if guard is None or (value is not None and bool((value == 1).all())):
            _become_copy(node, result)
        else:
            node.args = (result, guard)
    graph.eliminate_dead_code()


def _guard_from_booleans(node: Node, guard: Node, mask: Node, known: KnownValues) -> Node | None:
    """The guard of a mask of numbers, from booleans where that is possible; None where every number is finite."""
    writer = _Writer(node, known)
    try:
        closed = writer.closed(mask)
    except _UnknownError:
        return guard
    if closed is None:
        for user in list(mask.users):
            # The clamp is for closed rows alone.
            if user.target is aten.clamp.default:
                _become_copy(user, mask)
        return None
    tensor: torch.Tensor = mask.meta["val"]
    closed = writer.write(aten.expand.default, closed, list(tensor.shape))
    numbers = writer.write(aten._to_copy.default, writer.write(aten.logical_not.default, closed), dtype=tensor.dtype)
    return writer.write(aten.amax.default, numbers, [-1], True)


class _Writer:
    """Writes nodes before ``node``, with its origin."""

    def __init__(self, node: Node, known: KnownValues) -> None:
        self._before, self._known = node, known

    def write(self, target: Any, *args: Any, **kwargs: Any) -> Node:
        graph = self._before.graph
        with graph.inserting_before(self._before):
            node = graph.call_function(target, args, kwargs)
        values = torch.fx.node.map_arg((args, kwargs), lambda item: item.meta["val"])
        with self._before.meta["val"].fake_mode:
            node.meta["val"] = target(*values[0], **values[1])
        for key in ("custom", "stack_trace", "nn_module_stack"):
            if key in self._before.meta:
                node.meta[key] = self._before.meta[key]
        return node

    def closed(self, node: Node) -> Node | None:
        """Where ``node`` is minus infinity, as booleans; None where it is nowhere."""
        tensor = node.meta.get("val")
        if not isinstance(tensor, torch.Tensor) or tensor.is_complex():
            raise _UnknownError
        if not tensor.is_floating_point():
            return None
        value = self._known.of(node)
        if value is not None:
            return self.write(aten.eq.Scalar, node, -math.inf) if bool(torch.isneginf(value).any()) else None
        inputs = node.all_input_nodes
        if node.target is aten._to_copy.default:
            return self.closed(inputs[0])
        if node.target in _SAME_PLACES:
            source = self.closed(inputs[0])
            return None if source is None else self.write(node.target, source, *node.args[1:])
        if node.target in {aten.where.self, aten.where.ScalarOther, aten.where.ScalarSelf}:
            return self._where(*node.args)
        if node.target in {aten.masked_fill.Scalar, aten.masked_fill.Tensor}:
            return self._where(node.args[1], node.args[2], node.args[0])
        if node.target in {aten.add.Tensor, aten.sub.Tensor} and len(inputs) == 2:
            sides = [self.closed(item) for item in inputs]
            if node.target is aten.sub.Tensor and sides[1] is not None:
                raise _UnknownError
            return self._either(*sides)
        numbers = [item for item in (*node.args, *node.kwargs.values()) if isinstance(item, float)]
        simple = node.target in _FINITE or node.target in {aten.add.Tensor, aten.sub.Tensor}
        if simple and all(map(math.isfinite, numbers)) and all(self.closed(item) is None for item in inputs):
            return None
        raise _UnknownError

    def _where(self, condition: Any, true: Any, false: Any) -> Node | None:
        first, second = self._side(true), self._side(false)
        if first is True and second is None:
            return self.write(aten.alias.default, condition)
        opposite = None if second is None else self.write(aten.logical_not.default, condition)
        if second is True and first is None:
            return opposite
        left = condition if first is True else self._both(condition, first)
        right = opposite if second is True else self._both(opposite, second)
        return self._either(left if first is not None else None, right)

    def _side(self, value: Any) -> Node | bool | None:
        """Where a branch is minus infinity; True for everywhere."""
        if isinstance(value, Node):
            constant = self._known.of(value)
            if constant is not None and bool(torch.isneginf(constant).all()):
                return True
            return self.closed(value)
        return True if value == -math.inf else None

    def _both(self, first: Node | None, second: Node | bool | None) -> Node | None:
        return None if first is None or second is None else self.write(aten.logical_and.default, first, second)

    def _either(self, first: Node | None, second: Node | None) -> Node | None:
        if first is None or second is None:
            return second if first is None else first
        return self.write(aten.logical_or.default, first, second)


def _become_copy(node: Node, source: Node) -> None:
    """Make ``node`` a copy of ``source``, which the graph has no more once it is simplified."""
    node.target, node.args, node.kwargs = aten.clone.default, (source,), {}


def _is_boolean_guard(guard: Node) -> bool:
    return guard.target is aten.amax.default and guard.args[1:] == ([-1], True) and _is_cast(guard.args[0])


def _float_mask_of(guard: Node) -> Node | None:
    """The mask of numbers whose open rows ``guard`` says by comparison."""
    if not _is_cast(guard):
        return None
    compared = guard.args[0]
    if not isinstance(compared, Node) or compared.target is not aten.ne.Scalar:
        return None
    largest, number = compared.args
    if number != -math.inf or not isinstance(largest, Node) or largest.target is not aten.amax.default:
        return None
    mask = largest.args[0]
    return mask if isinstance(mask, Node) else None


def _is_cast(node: Any) -> bool:
    return isinstance(node, Node) and node.target is aten._to_copy.default
