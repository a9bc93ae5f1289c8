"""Forms of ``aipc check`` for other programs. One file a format, with a ``write(document) -> str``."""

from __future__ import annotations

import importlib
import pkgutil

from .document import Document, ModelFindings, RuleText

__all__ = ["Document", "ModelFindings", "RuleText", "format_names", "write"]

_NOT_FORMATS = ("document",)


def format_names() -> tuple[str, ...]:
    """Every format, by its file's name."""
    return tuple(sorted(item.name for item in pkgutil.iter_modules(__path__) if item.name not in _NOT_FORMATS))


def write(name: str, document: Document) -> str:
    """The text of a document in the format ``name``."""
    text: str = importlib.import_module(f"{__name__}.{name}").write(document)
    return text
