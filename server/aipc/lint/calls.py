"""The arguments of a call, by the names of the operator's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .values import UNKNOWN, Arguments, Constant, Items, Tensor, Value

_SEVERAL = {"dims", "shape", "size", "sizes", "repeats", "tensors"}
"""Parameters that take the rest of the positional arguments, as in ``x.permute(0, 2, 1)``."""


def bind(
    parameters: Sequence[Any],
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    *,
    complete: bool,
    method: bool = False,
) -> Arguments:
    """Name the arguments of a call.

    Args:
        parameters: in order, the name or (name, default).
        complete: whether these are all arguments, without ``*rest`` and ``**options``.
    """
    names = [item if isinstance(item, str) else item[0] for item in parameters]
    arguments: dict[str, Value] = {}
    extra: tuple[Value, ...] = ()
    for index, value in enumerate(positional):
        if index >= len(names):
            extra = (*extra, value)
        elif _takes_rest(names[index], positional[index:], method):
            arguments[names[index]] = Items(tuple(positional[index:]))
            break
        else:
            arguments[names[index]] = value
    for name, value in keywords.items():
        arguments[_ALIASES.get(name, name) if name not in names else name] = value
    if not complete:
        # What a star brings may be any of the parameters.
        return Arguments(arguments, {}, extra)
    defaults = {item[0]: item[1] for item in parameters if not isinstance(item, str) and item[0] not in arguments}
    return Arguments(arguments, defaults, extra)


_ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input"}


def _takes_rest(name: str, rest: Sequence[Value], method: bool) -> bool:
    if name == "tensors":
        return bool(rest) and not isinstance(rest[0], Items)
    if not method or name not in _SEVERAL:
        return False
    if len(rest) > 1:
        return True
    return isinstance(rest[0], Constant) and isinstance(rest[0].value, int)


def values_of(arguments: Arguments) -> tuple[Value, ...]:
    return (*arguments.values.values(), *arguments.extra)


def first_tensor(arguments: Arguments) -> Value:
    """The tensor that an operator works on: its first argument that is one."""
    for value in values_of(arguments):
        if isinstance(value, Tensor):
            return value
        if isinstance(value, Items):
            for item in value.items:
                if isinstance(item, Tensor):
                    return item
    return UNKNOWN
