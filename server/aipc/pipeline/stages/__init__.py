"""The stages of deploy, one file each; see ``pipeline.stage``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache

from ..stage import Stage


@lru_cache(maxsize=1)
def all_stages() -> tuple[Stage, ...]:
    """Every stage in order, found by walking this folder."""
    found = [importlib.import_module(f"{__name__}.{module.name}").STAGE for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted(found, key=lambda stage: stage.order))


@lru_cache(maxsize=1)
def _positions() -> Mapping[str, int]:
    return {stage.name: number for number, stage in enumerate(all_stages(), 1)}


def stage_order(name: str) -> int:
    """The position of a stage among all stages, from 1; 0 for none."""
    return _positions().get(name, 0)
