"""Whether an argument of a call may be what a variant of the matrix was measured with.

The matrix says some attributes in words (``last 2`` for the normalized axes); what is meant by a word that this module
does not know is not known, and such a variant stays possible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .einsum import canonical
from .values import TENSOR, UNKNOWN

_DIMENSIONS = {"dim", "dims", "dim0", "dim1", "start_dim", "end_dim"}


def agrees(key: str, measured: Any, actual: Any, measured_rank: int, actual_rank: Any) -> bool:
    """False only where ``actual`` is surely not ``measured``."""
    if key == "equation":
        return bool(canonical(str(measured)) == actual)
    if isinstance(measured, str) and not isinstance(actual, str):
        return _word(key, measured, actual)
    if actual is TENSOR:
        return False
    if key == "align_corners":
        return bool(measured) == bool(actual)
    if key in _DIMENSIONS:
        return _same_dimensions(measured, actual, measured_rank, actual_rank)
    return _same(measured, actual)


def _word(key: str, measured: str, actual: Any) -> bool:
    if measured == "tensor":
        return actual is TENSOR
    meaning = _WORDS.get(key)
    meaning_of_argument = meaning(actual) if meaning else None
    return meaning_of_argument is None or measured in meaning_of_argument


def _same(measured: Any, actual: Any) -> bool:
    """Equal, where ``3`` and ``(3, 3)`` are, and where what is not known may be anything."""
    one, other = _flat(measured), _flat(actual)
    if len(one) != len(other):
        if len(one) != 1 and len(other) != 1:
            return False
        one, other = (one * len(other), other) if len(one) == 1 else (one, other * len(one))
    return all(b is UNKNOWN or a == b for a, b in zip(one, other, strict=True))


def _same_dimensions(measured: Any, actual: Any, measured_rank: int, actual_rank: Any) -> bool:
    one, other = _flat(measured), _flat(actual)
    if None in one or None in other or len(one) != len(other):
        return one == other
    return all(b is UNKNOWN or _same_axis(a, b, measured_rank, actual_rank) for a, b in zip(one, other, strict=True))


def _same_axis(measured: Any, actual: Any, measured_rank: int, actual_rank: Any) -> bool:
    if not isinstance(measured, int) or not isinstance(actual, int) or measured == actual:
        return bool(measured == actual)
    if (measured < 0) == (actual < 0):
        return False
    if not isinstance(actual_rank, int):
        return True  # the last axis is -1 by one way to count and any number by the other
    return measured % max(measured_rank, 1) == actual % max(actual_rank, 1) and measured_rank == actual_rank


def _flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _normalized_shape(actual: Any) -> set[str] | None:
    count = len(_flat(actual))
    return {"last"} if count == 1 else {f"last {count}"}


def _pad(actual: Any) -> set[str] | None:
    numbers = _flat(actual)
    if not isinstance(actual, tuple) or len(numbers) % 2:
        return None
    axes = len(numbers) // 2
    names = {f"last {axes}"} | ({"last"} if axes == 1 else set())
    if any(number is not UNKNOWN and isinstance(number, (int, float)) and number < 0 for number in numbers):
        return {"negative"}
    if any(number is UNKNOWN for number in numbers):
        return names | {"negative"} | ({"height only"} if axes == 2 else {"channels"} if axes == 3 else set())
    if axes == 2 and numbers[:2] == [0, 0]:
        return {"height only"}
    if axes == 3 and numbers[:4] == [0, 0, 0, 0]:
        return {"channels"}
    return names


def _shape(actual: Any) -> set[str] | None:
    return {f"rank {len(actual)}"} if isinstance(actual, tuple) else None


_WORDS: dict[str, Callable[[Any], set[str] | None]] = {
    "normalized_shape": _normalized_shape,
    "pad": _pad,
    "shape": _shape,
}
