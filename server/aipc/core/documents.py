"""The JSON documents that every front door gives alike."""

from __future__ import annotations

from typing import Any

from .errors import AipcError
from .json import to_plain


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


def internal_error(error: Exception) -> AipcError:
    """What a user is told of an exception that is no answer: a defect of ours."""
    wrong = AipcError(
        f"aipc itself failed with {type(error).__name__}: {error}",
        remedy="this is a defect: run the command again with --debug and report what it prints",
    )
    wrong.__cause__ = error
    return wrong
