"""Files of the user: a source is replaced at once and only when it is still what it was, arrays only by arrays."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path

from .errors import InputError


def replace_text(path: Path, original: str, text: str) -> None:
    """Replace a file at once; refuses one that somebody else has changed meanwhile."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            if stream.read() != original:
                raise InputError(f"{path} has changed since it was checked", remedy="run the command again")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            shutil.copymode(path, name)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}", remedy="make the file writable") from error


def check_array_input(path: Path) -> None:
    """Raises InputError unless ``path`` is a regular file: a pipe or a device may never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be read: {reason}", remedy="give a .npz file") from error
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a regular file", remedy="give a .npz file")


def check_array_output(path: Path) -> None:
    """Raises InputError unless arrays can be written to ``path`` (.npz) and nothing but arrays is replaced there."""
    remedy = "choose another file, for example outputs.npz"
    if path.suffix != ".npz":
        raise InputError(f"{path} is not the name of a .npz file", remedy=remedy)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise InputError(f"there is no directory {path.parent}", remedy=remedy) from None
        return
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", remedy=remedy) from error
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a regular file", remedy=remedy)
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = all(name.endswith(".npy") for name in archive.namelist())
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):  # RuntimeError: another version, or encrypted
        arrays = path.stat().st_size == 0
    if not arrays:
        raise InputError(f"{path} exists and holds no arrays", remedy=remedy)
