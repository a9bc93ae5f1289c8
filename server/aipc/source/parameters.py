"""The parameters of a function as its text declares them."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """Names in order, with the expression of each default.

    Args:
        positional: those that can be given by position, ``self`` among them.
        keyword_only: those behind the star.
        defaults: name -> default, for both.
        rest: ``*args`` and ``**kwargs``, by their names.
    """

    positional: tuple[str, ...]
    keyword_only: tuple[str, ...]
    defaults: dict[str, ast.expr]
    rest: tuple[str, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """Positional ones that have no default."""
        return tuple(name for name in self.positional if name not in self.defaults)


def parameters_of(arguments: ast.arguments) -> Parameters:
    """What a ``def`` or a ``lambda`` declares."""
    positional = tuple(item.arg for item in (*arguments.posonlyargs, *arguments.args))
    last = positional[len(positional) - len(arguments.defaults) :]
    defaults = dict(zip(last, arguments.defaults, strict=True))
    for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            defaults[item.arg] = default
    rest = tuple(item.arg for item in (arguments.vararg, arguments.kwarg) if item is not None)
    return Parameters(positional, tuple(item.arg for item in arguments.kwonlyargs), defaults, rest)
