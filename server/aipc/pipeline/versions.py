"""Versions of everything whose change may change a result: part of every cache key, and the report's environment."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from functools import lru_cache

from aipc.qairt.runtime import qairt_version

_LIBRARIES = (
    "aipc",
    "torch",
    "torchvision",
    "onnx",
    "onnxscript",
    "onnx-ir",
    "onnxruntime",
    "onnxruntime-qnn",
    "numpy",
)


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """Name -> version; "-" for what is not installed. Reads metadata only."""
    tool_versions = {"python": platform.python_version(), "qairt": qairt_version() or "-"}
    for name in _LIBRARIES:
        try:
            tool_versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            tool_versions[name] = "-"
    return tool_versions


def environment() -> Mapping[str, str]:
    """The versions, and the machine in the words of the platform."""
    return {**versions(), "system": platform.platform(), "machine": platform.machine()}
