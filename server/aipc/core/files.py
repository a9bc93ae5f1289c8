"""Write a source file at once, and only when it is still what it was."""

from __future__ import annotations

import os
import shutil
import tempfile
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
