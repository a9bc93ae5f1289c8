"""The last result of each model on the disk, so that it is shown as soon as its file is opened."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aipc.core import plain_data
from aipc.core.cache import Cache
from aipc.core.hashing import hash_value
from aipc.core.types import CheckReport, Finding

from .check_state import CheckState, digest

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saved:
    """What lies in one file. ``fixes`` of ``report`` are proved for ``texts``.

    Args:
        checked_at: seconds since 1970.
    """

    version: int
    reference: str
    report: CheckReport
    extra: tuple[Finding, ...]
    texts: Mapping[str, str]
    files: Mapping[str, str]
    settings: str
    checked_at: float


def save_result(state: CheckState) -> None:
    """Keep a whole result; where the disk is full or cannot be written, nothing is kept."""
    texts = {file: "\n".join(lines) for file, lines in state.texts.items()}
    saved = _Saved(
        version=_VERSION,
        reference=state.reference,
        report=state.report,
        extra=state.extra,
        texts=texts,
        files=state.files,
        settings=state.settings,
        checked_at=state.checked_at or time.time(),
    )
    path = _path(state.reference)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(plain_data.dumps(saved, indent=None), "utf-8")
        temporary.replace(path)


def saved_result(reference: str) -> CheckState | None:
    """The result that was kept last for a model; None where there is none, or its capture is not in the cache."""
    try:
        saved = plain_data.loads(_path(reference).read_text("utf-8"), _Saved)
        if saved.version != _VERSION or saved.reference != reference:
            return None
        state = digest(reference, saved.report, saved.extra, saved.texts)
    except Exception:  # a file of another version, cut short, or made by anybody: as if there were none
        return None
    state.files, state.settings, state.checked_at = saved.files, saved.settings, saved.checked_at
    return state


def _path(reference: str) -> Path:
    return Cache().root / "editor" / f"{hash_value(reference)[:32]}.json"
