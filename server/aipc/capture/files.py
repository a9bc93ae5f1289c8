"""Which files a model depends on: every file of the author's that is read while it loads."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import aipc
from aipc.core.hashing import hash_file

from .sourcemap import is_library

_KERNEL = ("/proc/", "/sys/")
"""What Linux answers from memory: no files, and other content each time."""
_COMPILED = {".pyc", ".so", ".pyd", ".dll"}
_SEPARATORS = re.compile(r"[-_.]+")
_OWN = Path(aipc.__file__).resolve().parent


class FileRecorder:
    """Sees which files are opened for reading.

    Args:
        always: files that count whether they are seen to be read or not: the model's own.
    """

    def __init__(self, always: tuple[Path, ...] = ()) -> None:
        self.active = False
        self._always = always
        self._paths: set[str] = set()
        self._before = set(sys.modules)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active or event != "open" or not args or not isinstance(args[0], (str, os.PathLike)):
            return
        mode, flags = (args[1] if len(args) > 1 else "r"), (args[2] if len(args) > 2 else 0)
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
            isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        )
        if not writes and isinstance(path := os.fspath(args[0]), str):
            # Now: a relative path means another file once the model has changed the directory. Links stay.
            self._paths.add(os.path.abspath(path))  # noqa: PTH100

    def hashes(self) -> dict[str, str]:
        """Absolute path -> SHA-256. For installed files, the record of their package's version stands."""
        imported = [module for name, module in list(sys.modules.items()) if name not in self._before]
        modules = {file for module in imported if (file := getattr(module, "__file__", None))}
        read = {path for path in self._paths | modules if not is_library(path)}
        metadata = {record for name in _top_levels(imported) if (record := _metadata(name))}
        digests: dict[str, str] = {}
        for text in sorted(read | metadata):
            path = Path(text).resolve()
            if path.suffix in _COMPILED or path.is_relative_to(_OWN) or str(path).startswith(_KERNEL):
                continue
            _add(digests, path)
        for own in self._always:
            _add(digests, own.resolve())
        return digests


def _add(digests: dict[str, str], path: Path) -> None:
    try:
        if path.is_file():
            digests[str(path)] = hash_file(path)
    except OSError:
        return


def _top_levels(modules: list[Any]) -> set[str]:
    """The installed packages among imported modules."""
    installed = (module for module in modules if is_library(getattr(module, "__file__", None) or "<built-in>"))
    return {module.__name__.partition(".")[0] for module in installed} - sys.stdlib_module_names


@lru_cache(maxsize=256)
def _metadata(package: str) -> str | None:
    """The file that holds the version of an imported package: another version lies in another folder."""
    try:
        distribution = importlib.metadata.distribution(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        names = _distributions().get(package)
        if not names:
            return None
        distribution = importlib.metadata.distribution(names[0])
    name = _SEPARATORS.sub("_", distribution.metadata["Name"])
    path = Path(str(distribution.locate_file(f"{name}-{distribution.version}.dist-info/METADATA")))
    return str(path) if path.is_file() else None


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


@contextmanager
def recorded_files(*always: Path) -> Iterator[FileRecorder]:
    """Record inside the block. An audit hook cannot be removed, which is no matter in a process of one job."""
    recorder = FileRecorder(always)
    sys.addaudithook(recorder.hook)
    recorder.active = True
    try:
        yield recorder
    finally:
        recorder.active = False
