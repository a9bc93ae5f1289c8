"""The JSON documents that every front door gives alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .cache import REMEDIES
from .disk import FULL, free_space_note
from .errors import AipcError, StorageError
from .plain_data import to_plain


def error_document(error: AipcError, kind: str | None = None) -> dict[str, Any]:
    """``{"error": {"kind", "message", "remedy", "range"}}``, the answer in place of a result."""
    return {
        "error": {
            "kind": kind or type(error).__name__,
            "message": error.what,
            "remedy": error.remedy,
            "range": to_plain(error.range) if error.range else None,
        }
    }


class InternalError(AipcError):
    """A defect of ours."""


def internal_error(error: Exception) -> AipcError:
    """What a user is told of an exception that is no answer: a defect of ours, unless the file system refused."""
    if isinstance(error, OSError) and error.errno in REMEDIES and isinstance(error.filename, str):
        free = free_space_note(Path(error.filename)) if error.errno in FULL else ""
        return StorageError(f"{error.filename}: {error.strerror}{free}", remedy=REMEDIES[error.errno])
    wrong = InternalError(
        f"aipc itself failed with {type(error).__name__}: {error}",
        remedy="this is a defect: run the command again with --debug and report what it prints",
    )
    wrong.__cause__ = error
    return wrong
