"""Where a package runs. A target is one file here with a ``TARGET``; adding one is adding a file (see ``base.py``)."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from aipc.core.errors import AipcError

from .base import Description, DeviceError, Facts, Mismatch, SetupNeededError, Target, TargetRun, UnfitError
from .request import HERE, RunOptions, describe_device, reach_device, run_on, run_samples

__all__ = [
    "HERE",
    "Description",
    "DeviceError",
    "Facts",
    "Mismatch",
    "RunOptions",
    "SetupNeededError",
    "Target",
    "TargetRun",
    "UnfitError",
    "all_targets",
    "describe_device",
    "get_target",
    "reach_device",
    "run_on",
    "run_samples",
]


@lru_cache(maxsize=1)
def all_targets() -> tuple[Target, ...]:
    """Every file here that has a ``TARGET``; importing one imports no heavy library."""
    targets = (_target_of(module.name) for module in pkgutil.iter_modules(__path__))
    return tuple(sorted((target for target in targets if target), key=lambda target: target.scheme))


def get_target(name: str) -> Target:
    """The target of a name such as ``simulator``. Raises AipcError when there is none."""
    scheme = name.partition(":")[0]
    # A target's file is named after its scheme: the others, with what they import, are left alone.
    if scheme in {module.name for module in pkgutil.iter_modules(__path__)} and (target := _target_of(scheme)):
        return target
    known = ", ".join(target.scheme for target in all_targets())
    raise AipcError(f"{name!r} is not a target", remedy=f"targets are {known}")


def _target_of(module: str) -> Target | None:
    target: Target | None = getattr(importlib.import_module(f"{__name__}.{module}"), "TARGET", None)
    return target
