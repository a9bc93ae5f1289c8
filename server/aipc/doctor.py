"""What is installed on this machine, and the exact command that brings what is missing.

Light: versions are read from package metadata, nothing heavy is imported.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from aipc.core.cache import default_cache_dir
from aipc.qairt.runtime import qairt_version

GLIBC = (2, 35)
"""onnxruntime-qnn's Linux wheels are built for it (their tag is manylinux_2_35 or newer)."""

DISK_GB = 2
"""Free space that a check of a middle-sized model takes, with room for its context binary and logs."""

_LIBRARIES = {
    # Least versions are those of the ``engine`` extra in pyproject.toml; a test compares the two.
    "numpy": "1.26",
    "torch": "2.9",
    "onnx": "1.18",
    "onnxscript": "0.7",
    "onnxruntime": "1.23",
    "onnxruntime-qnn": "2.7",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at. ``remedy`` is the command or step that cures it, "" when it is fine."""

    name: str
    ok: bool
    needed: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    ok: bool
    """True when everything that is needed is there."""
    items: tuple[Item, ...]


def examine() -> DoctorReport:
    """Look at the interpreter, the platform, the libraries, QAIRT, the disk and the cache directory."""
    items = (
        _python(),
        _platform(),
        _glibc(),
        *(_library(name, least) for name, least in _LIBRARIES.items()),
        _qairt(),
        _cache(),
        _disk(),
    )
    return DoctorReport(all(item.ok for item in items if item.needed), items)


def _python() -> Item:
    version = f"{platform.python_version()} ({sys.executable})"
    ok = sys.version_info >= (3, 10)
    return Item("Python", ok, True, version, "" if ok else "install Python 3.10 or newer")


def _platform() -> Item:
    system, machine = platform.system(), platform.machine().lower()
    system_name = f"{system} {machine}"
    if system == "Darwin":
        remedy = "QAIRT's compiler does not exist for macOS: use Linux x86-64 or Windows, or a dev container"
        return Item("Platform", False, True, system_name, remedy)
    return Item("Platform", True, True, system_name)


def _glibc() -> Item:
    library, version = platform.libc_ver()
    if platform.system() != "Linux":
        return Item("glibc", True, False, "not used on this platform")
    if library != "glibc":
        return Item(
            "glibc",
            False,
            True,
            library or "another C library",
            "use a distribution with glibc 2.35 or newer",
        )
    ok = _numbers(version) >= GLIBC
    remedy = "" if ok else "onnxruntime-qnn needs glibc 2.35 or newer, such as in Ubuntu 22.04 or Debian 12"
    return Item("glibc", ok, True, version, remedy)


def _library(name: str, least: str) -> Item:
    install = f"{_pip()} install '{name}>={least}'"
    needed = not (name.startswith("onnxruntime-qnn") and platform.system() == "Darwin")
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Item(name, False, needed, "not installed", install)
    ok = _numbers(version) >= _numbers(least)
    return Item(name, ok, needed, version, "" if ok else install)


def _qairt() -> Item:
    version = qairt_version()
    if version:
        return Item("QAIRT", True, True, version)
    needed = platform.system() != "Darwin"
    return Item("QAIRT", False, needed, "not found", f"{_pip()} install 'onnxruntime-qnn>=2.7'")


def _cache() -> Item:
    directory = default_cache_dir()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        remedy = "set AIPC_CACHE_DIR to a directory that can be written"
        return Item("Cache directory", False, True, f"{directory}: {error.strerror}", remedy)
    return Item("Cache directory", True, True, str(directory))


def _disk() -> Item:
    directory = default_cache_dir()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    ok = free >= DISK_GB
    remedy = "" if ok else f"free {DISK_GB} GB on the disk of {existing}, or set AIPC_CACHE_DIR to another one"
    return Item("Free disk space", ok, True, f"{free:.1f} GB", remedy)


def _pip() -> str:
    """This interpreter's pip, as it is typed in a shell."""
    python = sys.executable
    with suppress(OSError):  # the current directory was deleted
        python = os.path.relpath(python) if Path(python).is_relative_to(Path.cwd()) else python
    return f"{python} -m pip"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])
