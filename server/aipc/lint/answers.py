"""What the measured matrix surely says of a call of which only some arguments are known.

It answers only where every variant that the call may be has the same bad verdict.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError
from aipc.ops import data as data_file
from aipc.ops.data import Data, MeasuredVariant
from aipc.ops.matrix import column
from aipc.ops.measurements import RUNS, Measured
from aipc.qairt.soc import SoC
from aipc.source.torch_names import is_class

from .agreement import agrees
from .einsum import canonical
from .values import TENSOR, UNKNOWN

Attributes = Mapping[str, Any]
_KEPT = 4096
_LOOKS_AGAIN = 10.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class KnownVariant:
    """A variant as the matching sees it: what it was measured with, siblings' attributes at their defaults."""

    variant: MeasuredVariant
    attributes: Attributes
    measured: Measured
    rank: int
    solved: bool = False
    """Whether it runs once deploy has rewritten it."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The measured operators of one SoC."""

    data: Data
    soc: SoC
    part: str
    variants: Mapping[str, tuple[MeasuredVariant, ...]]
    prepared: dict[str, tuple[KnownVariant, ...]]
    answered: dict[tuple[object, ...], tuple[KnownVariant, ...]]

    def parameters(self, operator: str) -> tuple[Any, ...]:
        return self.data.parameters.get(operator, ())

    def known(self, operator: str) -> tuple[KnownVariant, ...]:
        """The variants of an operator on this SoC."""
        if operator not in self.prepared:
            self.prepared[operator] = _prepare(self, operator)
        return self.prepared[operator]


def open_matrix(soc: SoC) -> Matrix | None:
    """The matrix for a SoC; None where nothing measured speaks for it."""
    return _opened(soc, int(time.monotonic() / _LOOKS_AGAIN))


@lru_cache(maxsize=8)
def _opened(soc: SoC, period: int) -> Matrix | None:
    """``open_matrix`` within a period, which is also how long another QAIRT may go unnoticed."""
    try:
        path = data_file.find()
        return _open(path, path.stat().st_mtime_ns, soc)
    except (AipcError, OSError):
        return None


@lru_cache(maxsize=8)
def _open(path: Path, stamp: int, soc: SoC) -> Matrix | None:
    data = data_file.load(path)
    part = column(data, soc)
    if part is None:
        return None
    variants: dict[str, list[MeasuredVariant]] = {}
    for variant in data.variants:
        if part in variant.measured:
            for name in variant.operators:
                variants.setdefault(name, []).append(variant)
    return Matrix(data, soc, part, {name: tuple(items) for name, items in variants.items()}, {}, {})


def _prepare(matrix: Matrix, operator: str) -> tuple[KnownVariant, ...]:
    """Fill in what a variant leaves unsaid and its siblings say: the operator's default, its input's rank and dtype."""
    own = {item if isinstance(item, str) else item[0] for item in matrix.parameters(operator)}
    defaults = {item[0]: item[1] for item in matrix.parameters(operator) if not isinstance(item, str)}
    names = {key for variant in matrix.variants.get(operator, ()) for key in variant.attributes}
    variants = []
    for variant in matrix.variants.get(operator, ()):
        if own and any(_of_another(matrix, operator, variant, key, own) for key in variant.attributes):
            continue
        attributes = dict(variant.attributes)
        for key in names - attributes.keys():
            if key in ("rank", "dtype"):
                attributes[key] = variant.known[key]
            elif defaults.get(key) is not None:
                # A default of None stands for something that the measured call then said otherwise.
                attributes[key] = defaults[key]
        becomes = matrix.data.rewritten.get(variant.id, {}).get(matrix.part)
        solved = becomes is not None and becomes.verdict == RUNS
        variants.append(KnownVariant(variant, attributes, variant.measured[matrix.part], variant.known["rank"], solved))
    return tuple(variants)


def _of_another(matrix: Matrix, operator: str, variant: MeasuredVariant, key: str, own: set[str]) -> bool:
    """Whether ``key`` is a parameter of another operator that shares the variant: ``padding_mode`` of nn.Conv2d."""
    if key in own or key in ("rank", "dtype") or is_class(operator):
        return False
    others = (matrix.parameters(name) for name in variant.operators)
    return any(key == (item if isinstance(item, str) else item[0]) for items in others for item in items)


def answer(matrix: Matrix, operator: str, attributes: Attributes) -> tuple[KnownVariant, ...]:
    """The variants that a call may be, where all of them have the same bad verdict; nothing otherwise.

    Args:
        attributes: of the call by torch's parameter names, with ``rank`` and ``dtype`` of its first tensor.
    """
    key = (operator, *((name, _hashable(attributes[name])) for name in sorted(attributes)))
    if key not in matrix.answered:
        if len(matrix.answered) > _KEPT:
            matrix.answered.clear()
        matrix.answered[key] = _answer(matrix.known(operator), attributes)
    return matrix.answered[key]


def _hashable(value: Any) -> Any:
    """Equal only where the values are: ``1``, ``1.0`` and ``True`` are not the same question."""
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(item) for item in value)
    return type(value), value


def _answer(candidates: Sequence[KnownVariant], attributes: Attributes) -> tuple[KnownVariant, ...]:
    if all(item.measured.verdict == RUNS for item in candidates):
        return ()
    attributes = {key: _canonical(key, value) for key, value in attributes.items() if value is not UNKNOWN}
    conflicts = [frozenset(_conflicts(item, attributes)) for item in candidates]
    exact = [item for item, keys in zip(candidates, conflicts, strict=True) if not keys]
    names = {key for item in candidates for key in item.attributes if key in attributes}
    # What leaves something unsaid counts only where nothing else says it, and a special situation not even then.
    full = [item for item in exact if names <= item.attributes.keys()]
    if exact:
        return _agreed(full or [item for item in exact if not item.variant.label])
    # A size that was not measured: sure only where no measured size makes a difference.
    sizes = {key for key, value in attributes.items() if key not in ("rank", "dtype") and _is_size(value)}
    near = [
        item
        for item, keys in zip(candidates, conflicts, strict=True)
        if keys <= sizes and (not item.variant.label or names <= item.attributes.keys())
    ]
    return _agreed(near) if len(near) > 1 else ()


def _agreed(variants: Sequence[KnownVariant]) -> tuple[KnownVariant, ...]:
    """All of them, where they have one bad verdict."""
    verdicts = {item.measured.verdict for item in variants}
    if len(verdicts) != 1 or verdicts == {RUNS}:
        return ()
    labels = {item.variant.label for item in variants}
    # One special situation, described in words, says nothing of the ordinary call.
    if len(labels) == 1 and labels.pop() not in ("", "special"):
        return ()
    return tuple(variants)


def _conflicts(item: KnownVariant, attributes: Attributes) -> list[str]:
    known = item.attributes
    return [
        key
        for key, value in attributes.items()
        if key in known and not agrees(key, known[key], value, item.rank, attributes.get("rank"))
    ]


def _canonical(key: str, value: Any) -> Any:
    return canonical(value) if key == "equation" and isinstance(value, str) else value


def _is_size(value: Any) -> bool:
    if value is None or value is TENSOR:
        return value is None
    if isinstance(value, tuple):
        return all(item is UNKNOWN or _is_size(item) for item in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)
