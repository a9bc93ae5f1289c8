"""Where a package runs. A target is one file here with a ``TARGET``; adding one is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from aipc.core.errors import AipcError

from .base import Description, Target, TargetRun

__all__ = ["Description", "Target", "TargetRun", "all_targets", "get_target"]


@lru_cache(maxsize=1)
def all_targets() -> tuple[Target, ...]:
    found = [
        importlib.import_module(f"{__name__}.{module.name}").TARGET
        for module in pkgutil.iter_modules(__path__)
        if module.name != "base" and not module.name.startswith("_")
    ]
    return tuple(sorted(found, key=lambda target: target.scheme))


def get_target(name: str) -> Target:
    """The target of a name such as ``simulator``. Raises AipcError when there is none."""
    scheme = name.partition(":")[0]
    for target in all_targets():
        if target.scheme == scheme:
            return target
    known = ", ".join(target.scheme for target in all_targets())
    raise AipcError(f"{name!r} is not a target", remedy=f"targets are {known}")
