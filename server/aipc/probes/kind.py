"""What a kind of input is. A kind is one file in ``kinds/`` that defines ``KIND``; adding a kind is adding a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .roles import Role

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputVariant:
    """One array for one input, in the shape and dtype of its example.

    Args:
        name: a few words for file names, such as ``empty-row``.
        title: what the input is, with its name in backquotes: "a row of `mask` that is all False".
        outside: values far outside of the example's range: the graph in fp32 must be right on them, and what the
            package makes of them is information.
        edge: no ordinary input: where a correctly rounded run in the package's precision misses the gate as well, that
            is information and no failure.
    """

    name: str
    title: str
    array: Array
    edge: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Args:
    order: position among the kinds: what most often goes wrong comes first.
    matches: whether an input is of this kind.
    variants: what is tried for such an input, the most telling first.
    draw: an ordinary array for such an input, for a set in which every input is new; None where the kind has none.
    """

    name: str
    order: int
    matches: Callable[[Role], bool]
    variants: Callable[[Role, np.random.Generator], Iterator[InputVariant]]
    draw: Callable[[Role, np.random.Generator], Array] | None = None
