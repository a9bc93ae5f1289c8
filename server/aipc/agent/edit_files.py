"""Edits from a file: a unified diff, or replacements as JSON, as ``try_patch`` takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError
from aipc.source import split_lines

from .scratch import PatchError, Scratch
from .verdicts import FileEdit

_MAX_BYTES = 4_000_000
_FORMS = 'write a unified diff, or JSON such as {"edits": [{"file": "model.py", "old": "…", "new": "…"}]}'


@dataclass(frozen=True, slots=True)
class ProposedEdits:
    """``original``: absolute path -> text as it was, for files that have the change already; the disk's otherwise."""

    title: str
    edits: tuple[FileEdit, ...]
    original: Mapping[str, str]


def read_edits(path: Path, root: Path, unsaved: Mapping[str, str] | None = None) -> ProposedEdits:
    """The edits that ``path`` holds, for the project at ``root``.

    A diff may describe what is still to be done or what the files have already (``git diff > change.diff``).

    Raises:
        InputError: the file cannot be read, is in neither form, or does not fit the project's files.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path.name} is larger than {_MAX_BYTES // 1_000_000} MB", remedy=_FORMS)
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", remedy="name a file with edits") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is no UTF-8 text", remedy=_FORMS) from error
    if text.lstrip()[:1] in {"{", "["}:
        return ProposedEdits(path.stem, _from_json(text, path.name), {})
    try:
        return _from_diff(text, path, Scratch(root, dict(unsaved or {})))
    except PatchError as error:
        raise InputError(
            f"{path.name}: {error}", remedy="make the diff in the project's root, such as with `git diff --relative`"
        ) from error


def _from_json(text: str, name: str) -> tuple[FileEdit, ...]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is no JSON: {error}", remedy=_FORMS) from error
    items: Any = value.get("edits") if isinstance(value, dict) else value
    if not isinstance(items, list) or not items:
        raise InputError(f"{name} has no list of edits", remedy=_FORMS)
    edits = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or any(not isinstance(item.get(key), str) for key in ("file", "old", "new")):
            raise InputError(f"{name}: edit {number} lacks file, old or new as texts", remedy=_FORMS)
        edits.append(FileEdit(item["file"], item["old"], item["new"]))
    return tuple(edits)


def _from_diff(text: str, path: Path, scratch: Scratch) -> ProposedEdits:
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    try:
        patches = PatchSet(text)
    except UnidiffParseError as error:
        raise InputError(f"{path.name} is no unified diff: {error}", remedy=_FORMS) from error
    if not patches:
        raise InputError(f"{path.name} has no changes", remedy=_FORMS)
    edits: list[FileEdit] = []
    original: dict[str, str] = {}
    for patched in patches:
        if patched.is_added_file or patched.is_removed_file or patched.is_rename:
            raise PatchError(f"{patched.path} is added, removed or renamed; only the text of files can change")
        file = scratch.locate(patched.path)
        now = scratch.text(file)
        hunks = [_Hunk(item.source_start, item.target_start, *_sides(item)) for item in patched]
        after = _applied(now, hunks)
        if after is None:
            before = _applied(now, [item.reverse for item in hunks])
            if before is None:
                raise PatchError(f"the diff does not fit {patched.path} as it is now")
            original[str(file)], after, now = before, now, before
        if after != now:
            edits.append(FileEdit(patched.path, now, after))
    return ProposedEdits(path.stem, tuple(edits), original)


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines (with their ends as "\\n") that change; line numbers count from 1, and 0 stands before an empty file."""

    start: int
    new_start: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def reverse(self) -> _Hunk:
        return _Hunk(self.new_start, self.start, self.new, self.old)


def _sides(hunk: Any) -> Iterator[tuple[str, ...]]:
    for kinds in (" -", " +"):
        yield tuple(line.value.rstrip("\r\n") for line in hunk if line.line_type in kinds)


def _applied(text: str, hunks: list[_Hunk]) -> str | None:
    """The text with all hunks applied at their lines; None when one does not stand there."""
    lines = list(split_lines(text, keepends=True))
    end = "\r\n" if "\r\n" in text else "\n"
    for hunk in sorted(hunks, key=lambda item: item.start, reverse=True):
        first = max(hunk.start - 1, 0) if hunk.old else hunk.start
        last = first + len(hunk.old)
        if tuple(line.rstrip("\r\n") for line in lines[first:last]) != hunk.old:
            return None
        lines[first:last] = [line + end for line in hunk.new]
    return "".join(lines)
