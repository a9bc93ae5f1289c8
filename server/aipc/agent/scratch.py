"""The scratch copy: the project's source files as the accepted and proposed patches make them.

It lives in memory and is read by the capture in place of the files of the disk. Nothing of it is ever written by a
patch: what a patch names is looked up among the project's own source files, and only text of these can change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from aipc.core.types import Position, Range
from aipc.source import split_lines
from aipc.source.edits import unified_diff

from .verdicts import FileEdit

_LIBRARIES = {"site-packages", "dist-packages", ".venv", "venv", "node_modules", ".git", ".aipc"}
_MAX_BYTES = 400_000


class PatchError(Exception):
    """A patch that cannot be applied, in words for its author. ``attack`` names it when it left the bounds."""

    def __init__(self, reason: str, attack: str = "") -> None:
        super().__init__(reason)
        self.attack = attack


@dataclass(frozen=True, slots=True)
class Scratch:
    """``texts``: absolute path -> text, for the files that differ from what the editor or the disk has."""

    root: Path
    unsaved: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def locate(self, file: str) -> Path:
        """The project's file that a path relative to its root names.

        Raises:
            PatchError: the path is absolute, leaves the project (also by a link), or names no source file of it.
        """
        if not file or "\0" in file:
            raise PatchError("the path is empty")
        if PurePosixPath(file).is_absolute() or PureWindowsPath(file).drive or PureWindowsPath(file).root:
            path = Path(file)
            if not path.is_absolute() or not path.is_relative_to(self.root):
                raise PatchError(f"{file} is an absolute path; name files relative to the project", "absolute path")
            file = path.relative_to(self.root).as_posix()
        parts = PurePosixPath(file.replace("\\", "/")).parts
        if ".." in parts:
            raise PatchError(f"{file} leaves the project", "path with ..")
        if _LIBRARIES & set(parts) or any(part.startswith(".") for part in parts if part != "."):
            raise PatchError(f"{file} is not a source file of the project", "file that is not the project's")
        path = self.root.joinpath(*parts)
        if path.resolve() != path:
            if not path.resolve().is_relative_to(self.root):
                raise PatchError(f"{file} is a link that leads out of the project", "link out of the project")
            raise PatchError(f"{file} is reached by a link; name the file itself")
        if not path.is_file():
            raise PatchError(f"there is no file {file} in the project; files cannot be added")
        return path

    def text(self, path: Path) -> str:
        """A file as it stands in the scratch copy, with its line ends.

        Raises:
            PatchError: it is not text, or too long to be a source file.
        """
        for texts in (self.texts, self.unsaved):
            if str(path) in texts:
                return texts[str(path)]
        return self.original(path)

    def original(self, path: Path) -> str:
        """A file as the editor or the disk has it."""
        if str(path) in self.unsaved:
            return self.unsaved[str(path)]
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise PatchError(f"{path.name} is too long")
            with path.open(encoding="utf-8", newline="") as stream:
                return stream.read()
        except (OSError, UnicodeDecodeError) as error:
            raise PatchError(f"{path.name} cannot be read as text") from error

    def patched(self, edits: Sequence[FileEdit]) -> Scratch:
        """The scratch copy with the edits applied, one after the other.

        Raises:
            PatchError: a path is out of bounds, or the text to replace is not there exactly once.
        """
        if not edits:
            raise PatchError("the patch has no edits")
        texts = dict(self.texts)
        for edit in edits:
            path = self.locate(edit.file)
            if path.suffix != ".py":
                raise PatchError(f"{edit.file} is not Python; only Python files are changed", "file that is no source")
            text = texts.get(str(path)) or self.text(path)
            texts[str(path)] = _replaced(text, edit)
        changed = {file: text for file, text in texts.items() if text != self.original(Path(file))}
        if changed == dict(self.texts):
            raise PatchError("the patch changes nothing")
        return Scratch(self.root, self.unsaved, changed)

    def overlay(self) -> dict[str, str]:
        """All texts that differ from the disk's."""
        return {**self.unsaved, **self.texts}

    def relative(self, file: str) -> str:
        try:
            return Path(file).relative_to(self.root).as_posix()
        except ValueError:
            return file

    def diffs(self) -> dict[str, str]:
        """File -> unified diff against what the editor or the disk has."""
        return {
            file: unified_diff(self.original(Path(file)), text, self.relative(file))
            for file, text in self.texts.items()
        }

    def edits(self) -> tuple[tuple[Range, str], ...]:
        """The changes as replacements of whole runs of lines."""
        return tuple(
            edit for file, text in self.texts.items() for edit in line_edits(self.original(Path(file)), text, file)
        )


def _replaced(text: str, edit: FileEdit) -> str:
    if not edit.old:
        raise PatchError("the text to replace is empty")
    ends = "\r\n" if "\r\n" in text else "\n"
    old, new = (item.replace("\r\n", "\n").replace("\n", ends) for item in (edit.old, edit.new))
    count = text.count(old)
    if count != 1:
        raise PatchError(
            f"the text to replace is {'not there' if not count else f'there {count} times'} in {edit.file}; "
            "copy it exactly as read_source shows it, without line numbers, with enough lines to be unique"
        )
    return text.replace(old, new)


def line_edits(before: str, after: str, file: str) -> list[tuple[Range, str]]:
    """What turns one text into the other, as ranges of whole lines of ``before``."""
    import difflib

    old, new = split_lines(before, keepends=True), split_lines(after, keepends=True)
    edits = []
    for tag, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            edits.append((_lines(old, first, last, file), "".join(new[start:end])))
    return edits


def _lines(lines: Sequence[str], first: int, last: int, file: str) -> Range:
    return Range(file, _start(lines, first), _start(lines, last))


def _start(lines: Sequence[str], index: int) -> Position:
    if index >= len(lines) and lines and not lines[-1].endswith("\n"):
        return Position(len(lines), len(lines[-1]))
    return Position(index + 1, 0)
