"""The cache as its user sees it: how large it is, whether it is whole, its limit, and emptying it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aipc.core.cache import Cache, set_limit
from aipc.core.cache_cleaning import clean, pieces
from aipc.core.errors import InputError

ACTIONS = ("show", "verify", "limit", "clear")
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheReport:
    """``bytes`` of ``entries`` after what was asked for; ``damaged``: what verify found and removed, in clauses."""

    action: str
    directory: str
    entries: int
    bytes: int
    limit_bytes: int
    freed_bytes: int = 0
    verified: int = 0
    damaged: tuple[str, ...] = ()


def cache(action: str = "show", size: str | None = None) -> CacheReport:
    """Show, verify, limit or clear the user's cache. What other processes use is not removed.

    Raises:
        InputError: there is no such action, or the size is none. StorageError: the cache cannot be written.
    """
    if action not in ACTIONS:
        raise InputError(f"there is no action {action!r}", remedy=f"use one of {', '.join(ACTIONS)}")
    if (size is not None) != (action == "limit"):
        raise InputError("a size goes with limit, and limit takes one", remedy="for example aipc cache limit 10GB")
    whole = Cache()
    damaged: list[str] = []
    verified = freed = 0
    if action == "verify":
        whole.on_damage = damaged.append
        for piece in pieces(whole.root):
            if piece.path.parent.name == "calibration":
                continue
            verified += 1
            whole.get(piece.path.name, full=True)
        whole = Cache()
    elif action == "limit":
        assert size is not None
        set_limit(whole.root, bytes_of(size))
        whole = Cache()
        freed = whole.clean()
    elif action == "clear":
        freed = clean(whole.root, 0)
    items = pieces(whole.root)
    return CacheReport(
        action=action,
        directory=str(whole.root),
        entries=len(items),
        bytes=sum(piece.size for piece in items),
        limit_bytes=whole.max_bytes,
        freed_bytes=freed,
        verified=verified,
        damaged=tuple(damaged),
    )


def bytes_of(text: str) -> int:
    """Bytes of ``10GB``, ``500MB`` or a bare number. Raises InputError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise InputError(f"{text!r} is not a size", remedy="for example 10GB or 500MB")
    return int(float(match[1]) * _UNITS[match[2].upper()])
