"""What a deployment tries by itself where a stage fails, one file a remedy; see ``pipeline.remedy``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from ..remedy import Remedy


@lru_cache(maxsize=1)
def all_remedies() -> tuple[Remedy, ...]:
    """Every remedy, the cheapest first, found by walking this folder."""
    remedies = [
        importlib.import_module(f"{__name__}.{module.name}").REMEDY for module in pkgutil.iter_modules(__path__)
    ]
    return tuple(sorted(remedies, key=lambda remedy: (remedy.cost, remedy.name)))
