"""The stages of deploy, one file each; see ``pipeline.stage``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from functools import lru_cache

from ..artifacts import Artifact
from ..stage import AnyStage


@lru_cache(maxsize=1)
def all_stages() -> tuple[AnyStage, ...]:
    """Every stage in order, found by walking this folder."""
    stages = [importlib.import_module(f"{__name__}.{module.name}").STAGE for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted(stages, key=lambda stage: stage.order))


def stages_for(goals: Collection[type[Artifact]]) -> tuple[AnyStage, ...]:
    """The stages that artifacts take, in order: those that make them, and those that make what these need."""
    wanted = set(goals)
    chosen = []
    for stage in reversed(all_stages()):
        if stage.artifact in wanted:
            wanted.update(stage.needs)
            chosen.append(stage)
    return tuple(reversed(chosen))


@lru_cache(maxsize=1)
def _positions() -> Mapping[str, int]:
    return {stage.name: number for number, stage in enumerate(all_stages(), 1)}


def stage_order(name: str) -> int:
    """The position of a stage among all stages, from 1; 0 for none."""
    return _positions().get(name, 0)
