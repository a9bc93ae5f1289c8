"""Names are not paths: what a model may be called, and where below a project AIPC writes."""

from __future__ import annotations

import re
from pathlib import Path

from .errors import StorageError

_MOST_CHARACTERS, _MOST_BYTES = 120, 200
"""Directories are named by a model with chip, precision and a suffix of ours; file systems take 255 bytes."""
_NOT_ON_WINDOWS = frozenset('<>:"|?*')
_DEVICE = re.compile(r"(?i)con|prn|aux|nul|(com|lpt)[0-9]")
"""Names of devices, also with an ending: a project has to work on every system that its people use."""
STATE = ".aipc"
"""The directory below a project's root that holds what AIPC writes: packages, runs, traces."""


def name_problem(name: str) -> str:
    """Why something cannot be called so, as the end of a sentence; "" when it can."""
    if not name or name.strip() != name:
        return "is empty or has spaces around it"
    if any(character in name for character in "/\\") or name.startswith(".."):
        return "is a path; give a name without / and \\"
    if set(name) & _NOT_ON_WINDOWS or name.endswith(".") or _DEVICE.fullmatch(name.partition(".")[0]):
        return "is none that Windows can give a directory"
    if not name.isprintable():
        return "has a character that cannot be shown"
    if len(name) > _MOST_CHARACTERS or len(name.encode("utf-8", "replace")) > _MOST_BYTES:
        return f"is longer than {_MOST_CHARACTERS} characters"
    return ""


def state_path(root: Path, *parts: str) -> Path:
    """A path below the project's own directory of AIPC, for something that is going to be written.

    Raises:
        StorageError: it leads out of the project, by ``..`` or by a symbolic link.
    """
    path = root.joinpath(STATE, *parts)
    inside = root.resolve()
    if ".." in parts or not path.resolve().is_relative_to(inside):
        raise StorageError(
            f"{path} leads out of the project {root}",
            remedy=f"remove the link below {root / STATE}, or choose another directory with --output",
        )
    return path
