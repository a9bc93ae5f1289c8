"""Wheels for a device's platform, downloaded by this computer for a device that is set up offline."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from aipc.core.cache import default_cache_dir
from aipc.core.errors import MissingDependencyError

from .base import DeviceError

NAMES = ("onnxruntime", "onnxruntime-qnn", "numpy")
_GLIBC = tuple(range(39, 16, -1))


def wanted() -> dict[str, str]:
    """What a device gets: the runtime that this computer compiles with, so that both have one QAIRT.

    Raises:
        MissingDependencyError: this computer has none.
    """
    try:
        return {name: metadata.version(name) for name in NAMES}
    except metadata.PackageNotFoundError as error:
        raise MissingDependencyError(
            f"{error.name} is not installed here, so its version for the device is not known",
            remedy="run pip install onnxruntime onnxruntime-qnn numpy",
        ) from error


def requirements(python: str) -> list[str]:
    """What pip is asked for. numpy only has to be there: its newest version may not exist for the device's Python."""
    versions = wanted()
    return [f"{name}=={versions[name]}" for name in NAMES if name != "numpy"] + ["numpy", "pillow"]


def platforms(system: str, python_platform: str, libc: str) -> list[str]:
    """The platform tags of wheels that a device takes, the newest first."""
    machine = python_platform.rpartition("-")[2].replace("-", "_")
    if system == "windows":
        return [f"win_{machine}" if machine != "win32" else "win32"]
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)
    match = re.match(r"glibc 2\.(\d+)", libc)
    newest = int(match.group(1)) if match else 35
    manylinux = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC if minor <= newest]
    return [*manylinux, f"manylinux2014_{machine}"]


def download(facts: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Path]:
    """The wheels of everything a device needs, by file name: from the cache, else from the index that pip uses here.

    Args:
        facts: the helper's own words (``python_here``, ``python_platform``, ``system``, ``libc``).

    Raises:
        DeviceError: the index has none that fit.
    """
    version = ".".join(facts["python_here"].split(".")[:2])
    requirements_of_version = requirements(version)
    tags = platforms(facts["system"], facts["python_platform"], facts["libc"])
    name = "-".join([facts["system"], tags[0], version, *requirements_of_version]).replace("=", "")
    directory = default_cache_dir() / "wheels" / re.sub(r"[^A-Za-z0-9._-]", "_", name)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(directory.with_suffix(".lock")):
        marker = directory / "complete"
        if not marker.is_file():
            say(f"downloading {', '.join(requirements_of_version)} for {tags[0]}, Python {version}")
            _pip(requirements_of_version, tags, version, directory)
            marker.touch()
    return {path.name: path for path in sorted(directory.glob("*.whl"))}


def _pip(packages: list[str], tags: list[str], version: str, directory: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--python-version", version, "--dest", str(directory)]
    for tag in tags:
        command += ["--platform", tag]
    finished = subprocess.run([*command, *packages, "pip"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if finished.returncode:
        lines = [line for line in finished.stderr.splitlines() if line.startswith("ERROR")] or [finished.stderr.strip()]
        raise DeviceError(
            f"pip finds no wheels for the device (Python {version}, {tags[0]}): {lines[-1][:300]}",
            remedy="install another Python there, or set one up by hand and name it as python in the configuration",
            detail=finished.stderr,
        )
