"""JSON for the data types of :mod:`aipc.core.types`.

The output is always valid JSON: NaN and the infinities, which JSON has not, are written as the strings
``"nan"``, ``"inf"`` and ``"-inf"`` and read back as floats.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@lru_cache(maxsize=1)
def _converter() -> Converter:
    # cattrs takes 60 ms to import; a front door that prints help should not pay for it.
    from cattrs import Converter

    converter = Converter()
    converter.register_unstructure_hook(float, _plain_float)
    converter.register_structure_hook(float, lambda value, _: _read_float(value))
    converter.register_structure_hook(float | None, lambda value, _: None if value is None else _read_float(value))
    return converter


def _plain_float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")


def _read_float(value: Any) -> float:
    return _NON_FINITE[value] if isinstance(value, str) else float(value)


def _finite(value: Any) -> Any:
    """Values inside untyped containers (``Mapping[str, Any]``) are not seen by the typed hooks."""
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_finite(item) for item in value), key=str)
    if isinstance(value, PurePath):
        return str(value)
    return value


def to_plain(obj: Any) -> Any:
    """Turn a data type of ours into dicts, lists, strings, numbers, booleans and None."""
    return _finite(_converter().unstructure(obj))


def from_plain(data: Any, cls: type[T]) -> T:
    """The inverse of :func:`to_plain`. Raises ``cattrs.BaseValidationError`` when the data does not fit."""
    return _converter().structure(data, cls)


def dumps(obj: Any, *, indent: int | None = 2) -> str:
    """One JSON document; keys keep the order of the fields."""
    return json.dumps(to_plain(obj), indent=indent, allow_nan=False, ensure_ascii=False)


def loads(text: str, cls: type[T]) -> T:
    return from_plain(json.loads(text), cls)
