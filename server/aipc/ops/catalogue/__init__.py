"""The cases, one file a family: every file here that does not begin with ``_`` has a function ``cases``.

Heavy (torch): only workers import it.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from ._case import Case


@lru_cache(maxsize=1)
def all_cases() -> dict[str, Case]:
    """Every case by its id, family by family.

    Raises:
        ValueError: two cases have the same id.
    """
    cases: dict[str, Case] = {}
    for name in families():
        for case in importlib.import_module(f"{__name__}.{name}").cases():
            if case.id in cases:
                raise ValueError(f"two cases are called {case.id}: {cases[case.id].family} and {name}")
            cases[case.id] = case.in_family(name)
    return cases


def families() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")
