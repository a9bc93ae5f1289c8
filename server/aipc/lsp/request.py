"""A request from what the editor sends: the options of ``core/requests.py``, in camel case as JSON of the editor is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from aipc.core.option import build, values_of

T = TypeVar("T")


def camel(name: str) -> str:
    """``calibrationCount`` for ``calibration_count``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def request_from(argument: Mapping[str, Any], request: type[T], **others: Any) -> T:
    """The request that the editor asks for; an empty text counts as not given."""
    values_by_name = {item.name: argument.get(camel(item.name)) for item in values_of(request)}
    return build(request, {name: value for name, value in values_by_name.items() if value != ""}, **others)
