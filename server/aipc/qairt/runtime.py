"""The installed QAIRT: which version it is, and how onnxruntime is told of it."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from aipc.core.errors import MissingDependencyError

from .log_capture import captured_log

INSTALL = "pip install 'onnxruntime>=1.23' 'onnxruntime-qnn>=2.7'"


def _package() -> Path | None:
    try:
        spec = importlib.util.find_spec("onnxruntime_qnn")
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def qairt_version() -> str | None:
    """The QAIRT version inside the installed onnxruntime-qnn, such as ``2.51.0``; None when it is not installed.

    Reads the package's own information file: nothing heavy is imported.
    """
    package = _package()
    if package is None:
        return None
    try:
        text = (package / "build_and_package_info.py").read_text("utf-8")
    except OSError:
        return None
    match = re.search(r"qnn_version\s*=\s*['\"]([^'\"]+)", text)
    return match.group(1) if match else None


def require_qairt() -> str:
    """The QAIRT version, or a :class:`MissingDependencyError` that says how to get it."""
    if sys.platform == "darwin":
        raise MissingDependencyError(
            "QAIRT's compiler does not exist for macOS",
            remedy="run the check on Linux x86-64 or Windows, for example in a dev container",
        )
    version = qairt_version()
    if version is None:
        raise MissingDependencyError("onnxruntime-qnn, which carries QAIRT, is not installed", remedy=f"run {INSTALL}")
    return version


@lru_cache(maxsize=1)
def qnn_devices() -> list[Any]:
    """Register the QNN plug-in with onnxruntime, once per process, and return its devices.

    Registered while the log is captured, or QNN would keep its reasons to itself in every later session of the process.
    A process that has called this must not fork: the child would hang.
    """
    require_qairt()
    try:
        import onnxruntime
        import onnxruntime_qnn
    except ImportError as error:
        raise MissingDependencyError(
            f"onnxruntime-qnn cannot be loaded here: {error}",
            remedy=f"run {INSTALL}; on Linux it needs glibc 2.35 or newer",
        ) from error
    with captured_log():
        onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
        devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
    if not devices:
        raise MissingDependencyError("onnxruntime found no QNN device", remedy=f"run {INSTALL}")
    return devices
