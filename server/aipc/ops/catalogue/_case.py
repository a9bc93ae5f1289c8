"""How a case is declared: what is called, with which inputs, and which torch operators it answers for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """One tensor argument.

    Random values lie in ``[low, high)``, boundary values in ``edges``.
    """

    shape: Shape
    dtype: str = "float32"
    low: float = -3.0
    high: float = 3.0
    edges: tuple[float, float] = (-8.0, 8.0)

    @property
    def text(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Case:
    """One way to call an operator.

    ``attributes`` holds only what matters to where and how it runs, under the names of torch's own parameters, so that
    a linter can match a call's constants; ``rank`` and ``dtype`` are the first input's, ``dim`` is as written.
    """

    id: str
    operators: tuple[str, ...]
    build: Callable[..., torch.nn.Module]
    inputs: tuple[Input, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    """Tells cases with the same attributes apart."""
    random: bool = False
    """The result is random: only where it runs can be said."""
    family: str = ""

    def in_family(self, name: str) -> Case:
        return replace(self, family=name)


class CallModule(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *arguments: torch.Tensor) -> Any:
        return self.function(*arguments)


def x(*shape: int, reach: float = 8.0) -> Input:
    """A float input whose boundary values lie in ``[-reach, reach]``."""
    return Input(shape, edges=(-reach, reach))


def wide(*shape: int) -> Input:
    """A float input whose boundary values reach to the largest that fp16 holds."""
    return x(*shape, reach=6e4)


def within(low: float, high: float, *shape: int) -> Input:
    """A float input of an operator that is defined on ``[low, high]`` only; random values are at most 8."""
    ordinary = (max(low, -8.0) if high > 0 else low, min(high, max(8.0, 2 * low)))
    return Input(shape, low=ordinary[0], high=ordinary[1], edges=(low, high))


def ints(low: int, high: int, *shape: int, dtype: str = "int64") -> Input:
    """An integer input in ``[low, high)``."""
    return Input(shape, dtype, low, high)


def mask(*shape: int) -> Input:
    return Input(shape, "bool")


IMAGE: Shape = (1, 6, 10, 12)
"""No two dimensions are equal, so that a wrong layout shows."""
RANKS: Mapping[int, Shape] = {
    0: (),
    1: (24,),
    2: (6, 20),
    3: (4, 6, 20),
    4: IMAGE,
    5: (1, 4, 3, 6, 10),
    6: (1, 2, 3, 4, 5, 6),
}

Form = Literal["function", "method", "module"]


def case(
    operators: str | Iterable[str],
    function: Callable[..., Any],
    *inputs: Input,
    random: bool = False,
    label: str = "",
    **attributes: Any,
) -> Case:
    """A case that calls a function.

    Args:
        operators: qualified names, the one that gives the case its name first, blank-separated or a list.
        label: tells cases apart that have the same attributes.
    """
    return _make(operators, lambda: CallModule(function), inputs, random, label, attributes)


def layer(
    operators: str | Iterable[str],
    build: Callable[..., torch.nn.Module],
    *inputs: Input,
    random: bool = False,
    label: str = "",
    **attributes: Any,
) -> Case:
    """A case that calls the module that ``build`` returns."""
    return _make(operators, build, inputs, random, label, attributes)


def _make(
    operators: str | Iterable[str],
    build: Callable[..., torch.nn.Module],
    inputs: tuple[Input, ...],
    random: bool,
    label: str,
    attributes: Mapping[str, Any],
) -> Case:
    names = tuple(expand(name) for name in (operators.split() if isinstance(operators, str) else operators))
    short = names[0].removeprefix("torchvision.ops.").rpartition(".")[2]
    inside = ",".join(filter(None, [*(f"{key}={_text(value)}" for key, value in attributes.items()), label]))
    return Case(f"{short}[{inside}]" if inside else short, names, build, inputs, dict(attributes), label, random)


def _text(value: Any) -> str:
    return str(value).replace(" ", "")


_SHORT = {"F.": "torch.nn.functional.", "nn.": "torch.nn.", "T.": "torch.Tensor.", "tv.": "torchvision.ops."}


def expand(name: str) -> str:
    """``F.relu`` -> ``torch.nn.functional.relu``, likewise ``nn.``, ``T.`` (Tensor) and ``tv.`` (torchvision.ops)."""
    for short, full in _SHORT.items():
        if name.startswith(short):
            return full + name.removeprefix(short)
    return name


def both(*names: str) -> list[str]:
    """``torch.abs`` and ``torch.Tensor.abs`` of ``abs``."""
    return [full for name in names for full in (f"torch.{name}", f"torch.Tensor.{name}")]
