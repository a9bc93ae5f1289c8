"""Answers of the client to requests that the protocol does not know, as plain data."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Dictionaries where the protocol's library made named tuples of JSON objects."""
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
