"""What is known of a value from the text: the abstract values that expressions evaluate to."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from aipc.source.blocks import Block


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known."""


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Constant:
    value: Any
    """A number, a string, a bool or None."""


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple or a list whose length is known; its items need not be."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor, or an argument of ``forward`` that may be one."""

    rank: int | None = None
    dtype: str | None = None
    sure: bool = True
    """False for an argument without annotation, which may be something else."""
    varies: bool = True
    """False for what a compiler computes beforehand: weights, buffers, ``torch.ones(3)``."""
    made_by: str = ""
    """The operator that made it, ``argument``, or nothing where that is not known."""
    pending: frozenset[tuple[int, int, int]] = frozenset()
    """Findings that hold only unless this is reshaped next."""


@dataclass(frozen=True, slots=True)
class ImportedName:
    """Something imported, by its qualified name, for example ``torch.nn.functional.pad``."""

    name: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call by the name of their parameter. A parameter that is in neither is not known."""

    values: Mapping[str, Value] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Of parameters that are surely left to their default."""
    extra: tuple[Value, ...] = ()
    """Values whose parameter is not known."""


@dataclass(frozen=True, slots=True)
class TorchLayer:
    """An instance of one of torch's own modules."""

    operator: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Chain:
    """``nn.Sequential``: every item is called with the result of the one before."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """Every one of these in turn: the variable of a loop over ``nn.ModuleList``."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of this file, with what it closes over."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    block: Block
    closure: Mapping[str, Value] = field(default_factory=dict)
    receiver: Value | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """A class of this file."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a class of this file, or ``self``."""

    name: str
    itself: bool = False


Value: TypeAlias = (
    Unknown | Constant | Items | Tensor | ImportedName | TorchLayer | Chain | Each | Function | Class | Instance
)


def tensors(value: Value) -> tuple[Tensor, ...]:
    """The tensors in a value, also in lists of them."""
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, (Items, Each)):
        return tuple(tensor for item in value.items for tensor in tensors(item))
    return ()


def join(one: Value, other: Value) -> Value:
    """What holds of a value that is one of two."""
    if one == other:
        return one
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return Tensor(
            one.rank if one.rank == other.rank else None,
            one.dtype if one.dtype == other.dtype else None,
            one.sure and other.sure,
            one.varies and other.varies,
            one.made_by if one.made_by == other.made_by else "",
            one.pending | other.pending,
        )
    return UNKNOWN


def plain(value: Value) -> Any:
    """A constant as Python has it, ``UNKNOWN`` standing for what is not known, ``TENSOR`` for a tensor."""
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Items):
        return tuple(plain(item) for item in value.items)
    if isinstance(value, Tensor) and value.sure:
        return TENSOR
    return UNKNOWN


class _TensorMark:
    def __repr__(self) -> str:
        return "TENSOR"


TENSOR = _TensorMark()
