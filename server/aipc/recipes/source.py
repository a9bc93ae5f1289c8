"""What an application is made from, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An application as it is configured; ``root`` is the directory that its paths are relative to."""

    name: str
    root: str
    entry: str
    tokenizer: str | None
    recipe: str | None
    options: tuple[tuple[str, int], ...]
    samples: tuple[str, ...]
