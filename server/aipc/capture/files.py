"""Which files a model depends on: every file of the author's that is read while it loads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file

from .sourcemap import is_library

_IGNORED = ("/proc/", "/sys/", "/dev/", "/usr/", "/etc/", str(Path.home() / ".config"))
_COMPILED = {".pyc", ".so", ".pyd", ".dll"}


class FileRecorder:
    def __init__(self) -> None:
        self.active = False
        self._paths: set[str] = set()
        self._before = set(sys.modules)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active or event != "open" or not args or not isinstance(args[0], (str, os.PathLike)):
            return
        mode, flags = (args[1] if len(args) > 1 else "r"), (args[2] if len(args) > 2 else 0)
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
            isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        )
        if not writes:
            self._paths.add(os.fspath(args[0]) if isinstance(os.fspath(args[0]), str) else "")

    def hashes(self) -> dict[str, str]:
        """Absolute path -> SHA-256. Installed files are left out: their packages' versions stand for them."""
        imported = [module for name, module in list(sys.modules.items()) if name not in self._before]
        modules = [getattr(module, "__file__", None) for module in imported]
        found = {}
        for text in sorted({*self._paths, *(item for item in modules if item)}):
            path = Path(text)
            if not text or text.startswith(_IGNORED) or path.suffix in _COMPILED or is_library(text):
                continue
            if "/server/aipc/" in path.as_posix() or not path.is_file():
                continue
            try:
                found[str(path.resolve())] = hash_file(path)
            except OSError:
                continue
        return found


@contextmanager
def recorded_files() -> Iterator[FileRecorder]:
    """Record inside the block. An audit hook cannot be removed, which is no matter in a process of one job."""
    recorder = FileRecorder()
    sys.addaudithook(recorder.hook)
    recorder.active = True
    try:
        yield recorder
    finally:
        recorder.active = False
