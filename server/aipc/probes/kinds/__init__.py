"""One file for each kind of input; each defines ``KIND``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from ..kind import Kind


@lru_cache(maxsize=1)
def all_kinds() -> tuple[Kind, ...]:
    """Every kind in order, found by walking this folder."""
    kinds = [
        importlib.import_module(f"{__name__}.{module.name}").KIND
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return tuple(sorted(kinds, key=lambda kind: kind.order))
