"""Ranks and sizes of inputs that the code of ``forward`` states: unpacked shapes, asserts, einsum, first layers."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

_DEPTH = 4
"""Modules that hand an input on to a module are followed this deep."""
_CHANNELS = {"c", "ch", "channels", "in_channels", "cin", "c_in"}
_BATCH = {"b", "bs", "batch", "batch_size", "bsz"}
_OTHER = 4
"""Size of a dimension of which nothing is known, such as a number of frames; the same for every name."""

_TOKENS = 16
"""Size of a dimension of token ids, which is their number."""

Dimension = int | str
"""A size, or the name that the code has for it; "" where it has none."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the code says of one input: a dimension each, in order."""

    dims: tuple[Dimension, ...]
    integers: bool = False
    """Whether the values are places in a table, such as token ids."""

    def shape(self, channels: int, side: tuple[int, int]) -> tuple[int, ...]:
        """Sizes for each dimension, equal for equal names.

        Args:
            channels: for dimensions that are called so.
            side: (height, width) for the last two of four or more.
        """
        last = len(self.dims) - 1
        sizes = []
        for index, dimension in enumerate(self.dims):
            name = dimension.lower() if isinstance(dimension, str) else ""
            if isinstance(dimension, int):
                sizes.append(dimension)
            elif index == 0 or name in _BATCH:
                sizes.append(1)
            elif name in _CHANNELS:
                sizes.append(channels)
            elif last >= 3 and index >= last - 1 and (not name or name in {"h", "w", "height", "width"}):
                sizes.append(side[index - last + 1])
            else:
                sizes.append(_TOKENS if self.integers else _OTHER)
        return tuple(sizes)


def stated_shapes(module: nn.Module, depth: int = _DEPTH) -> dict[str, Stated]:
    """Parameter of ``forward`` -> its dimensions, for those of which the code states the rank."""
    function = _forward_text(module)
    if function is None or depth == 0:
        return {}
    names = [item.arg for item in (*function.args.posonlyargs, *function.args.args)][1:]
    shapes = {}
    for name in names:
        statement = list(_before_rebinding(function, name))
        rank = next((rank for node in statement if (rank := _rank(node, name)) is not None), None)
        inner = _of_the_module_that_takes_it(module, statement, name, depth)
        integers = any(_indexes(node, name) for node in statement) or (inner is not None and inner.integers)
        dims = rank or (inner.dims if inner else None) or (("b", "") if integers else None)
        if dims is None:
            continue
        known = dict(_sizes(statement, name, len(dims)))
        if inner and len(inner.dims) == len(dims):
            known = {index: size for index, size in enumerate(inner.dims) if isinstance(size, int)} | known
        shapes[name] = Stated(tuple(known.get(index, dimension) for index, dimension in enumerate(dims)), integers)
    return shapes


def _forward_text(module: nn.Module) -> ast.FunctionDef | None:
    try:
        text = textwrap.dedent(inspect.getsource(type(module).forward))
        node = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    return node if isinstance(node, ast.FunctionDef) else None


def _before_rebinding(function: ast.FunctionDef, name: str) -> Iterator[ast.AST]:
    """The nodes that speak of an argument as it was given: up to the statement that gives its name another value."""
    nodes = sorted((node for node in ast.walk(function) if hasattr(node, "lineno")), key=lambda node: node.lineno)
    bindings = [node for node in nodes if isinstance(node, ast.Name) and node.id == name and _is_store(node)]
    end = min((node.lineno for node in bindings), default=None)
    yield from (node for node in nodes if end is None or node.lineno <= end)


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _rank(node: ast.AST, name: str) -> tuple[Dimension, ...] | None:
    """The dimensions that one expression or statement gives an argument."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and _is_shape(node.value, name):
        target = node.targets[0]
        if isinstance(target, (ast.Tuple, ast.List)) and not any(isinstance(item, ast.Starred) for item in target.elts):
            return tuple(item.id.strip("_") if isinstance(item, ast.Name) else "" for item in target.elts)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        value = node.comparators[0]
        if _is_rank(node.left, name) and isinstance(value, ast.Constant) and isinstance(value.value, int):
            return ("",) * value.value
        if _is_shape(node.left, name) and isinstance(value, (ast.Tuple, ast.List)):
            return tuple(_constant(item) or "" for item in value.elts)
    if isinstance(node, ast.Subscript) and _is_name(node.value, name) and isinstance(node.slice, ast.Tuple):
        # ``x[:, None]`` names each axis and adds one.
        items = [item.value if isinstance(item, ast.Constant) else item for item in node.slice.elts]
        return ("",) * sum(item is not None for item in items) if None in items and ... not in items else None
    if isinstance(node, ast.Call):
        return _rank_of_call(node, name)
    return None


def _rank_of_call(node: ast.Call, name: str) -> tuple[Dimension, ...] | None:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = [item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    arguments = [item.id if isinstance(item, ast.Name) else "" for item in node.args]
    if called == "einsum" and texts and name in arguments:
        terms = texts[0].replace(" ", "").partition("->")[0].split(",")
        index = arguments.index(name) - 1
        return tuple(terms[index]) if 0 <= index < len(terms) and terms[index].isalpha() else None
    if called in {"rearrange", "reduce", "repeat"} and texts and arguments[:1] == [name]:
        axes = re.findall(r"\([^)]*\)|[^\s()]+", texts[0].partition("->")[0])
        return tuple("" if "(" in axis else axis for axis in axes) if "..." not in axes else None
    if called == "permute" and isinstance(node.func, ast.Attribute) and _is_name(node.func.value, name):
        sizes_of_call = node.args[0].elts if len(node.args) == 1 and isinstance(node.args[0], ast.Tuple) else node.args
        return ("",) * len(sizes_of_call) if len(sizes_of_call) > 1 else None
    return None


def _indexes(node: ast.AST, name: str) -> bool:
    """Whether an argument chooses rows of a table: ``F.embedding(x, table)``, ``F.one_hot(x)``, ``table[x]``."""
    if isinstance(node, ast.Subscript):
        return _is_name(node.slice, name)
    called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
    return isinstance(node, ast.Call) and called in {"embedding", "one_hot"} and _is_name_at(node.args, name)


def _is_name_at(arguments: Sequence[ast.expr], name: str) -> bool:
    return bool(arguments) and _is_name(arguments[0], name)


def _sizes(nodes: Sequence[ast.AST], name: str, rank: int) -> Iterator[tuple[int, int]]:
    """(index, size) from comparisons of a dimension, or of the name that it was unpacked to, with a number."""
    unpacked: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and _is_shape(node.value, name) and isinstance(node.targets[0], ast.Tuple):
            items = enumerate(node.targets[0].elts)
            unpacked |= {item.id: index for index, item in items if isinstance(item, ast.Name)}
        if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq))):
            continue
        size, left = _constant(node.comparators[0]), node.left
        index = unpacked.get(left.id) if isinstance(left, ast.Name) else _dimension(left, name)
        if size and index is not None and -rank <= index < rank:
            yield index % rank, size


def _dimension(node: ast.expr, name: str) -> int | None:
    """The index in ``x.shape[1]`` or ``x.size(1)``."""
    if isinstance(node, ast.Subscript) and _is_shape(node.value, name):
        return _integer(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "size" and node.args:
        return _integer(node.args[0]) if _is_name(node.func.value, name) else None
    return None


def _integer(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int) else None


def _constant(node: ast.expr) -> int | None:
    value = _integer(node)
    return value if value and value > 0 else None


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_shape(node: ast.expr, name: str) -> bool:
    """Whether it is ``x.shape`` or ``x.size()``."""
    if isinstance(node, ast.Call) and not node.args and isinstance(node.func, ast.Attribute):
        return node.func.attr == "size" and _is_name(node.func.value, name)
    return isinstance(node, ast.Attribute) and node.attr == "shape" and _is_name(node.value, name)


def _is_rank(node: ast.expr, name: str) -> bool:
    """Whether it is ``x.ndim``, ``x.dim()`` or ``len(x.shape)``."""
    if isinstance(node, ast.Attribute):
        return node.attr == "ndim" and _is_name(node.value, name)
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in {"dim", "ndimension"} and _is_name(node.func.value, name)
    return _is_name(node.func, "len") and bool(node.args) and _is_shape(node.args[0], name)


def _of_the_module_that_takes_it(module: nn.Module, nodes: Sequence[ast.AST], name: str, depth: int) -> Stated | None:
    """What a sub-module states that ``self.part(x)`` hands the argument to as it is."""
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        places = [index for index, item in enumerate(node.args) if _is_name(item, name)]
        part = getattr(module, node.func.attr, None) if _is_name(node.func.value, "self") else None
        if places and isinstance(part, nn.Module) and (stated := _taken_by(part, places[0], depth - 1)):
            return stated
    return None


def _taken_by(part: nn.Module, place: int, depth: int) -> Stated | None:
    while isinstance(part, nn.Sequential) and len(part) and place == 0:
        part = part[0]
    if (own := _of_layer(part)) is not None:
        return own
    try:
        names = list(inspect.signature(part.forward).parameters)
    except (TypeError, ValueError):
        return None
    return stated_shapes(part, depth).get(names[place]) if place < len(names) else None


def _of_layer(layer: nn.Module) -> Stated | None:
    """The rank, and the channels, of what one of PyTorch's layers takes."""
    if isinstance(layer, nn.Embedding):
        return Stated(("b", ""), integers=True)
    for kind, rank in ((nn.Conv1d, 3), (nn.Conv2d, 4), (nn.Conv3d, 5)):
        if isinstance(layer, kind):
            return Stated(("b", layer.in_channels, *[""] * (rank - 2)))
    return None


def first_channels(module: nn.Module, default: int = 3) -> int:
    """Channels that the first convolution takes."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return next((item.in_channels for item in module.modules() if isinstance(item, kinds)), default)


def stated_candidates(
    stated: Mapping[str, Stated], name: str, module: nn.Module, sides: Sequence[tuple[int, int]]
) -> Iterator[tuple[tuple[int, ...], torch.dtype]]:
    """Shapes of an argument as its code states them, one for each of ``sides`` where its sizes leave that open."""
    if name in stated:
        channels = first_channels(module)
        shapes = dict.fromkeys(stated[name].shape(channels, side) for side in sides)
        dtype = torch.int64 if stated[name].integers else torch.float32
        yield from ((shape, dtype) for shape in shapes)
