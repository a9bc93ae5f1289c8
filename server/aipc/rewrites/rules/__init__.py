"""The rules, one file each; see ``rewrites.rule``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from ..rule import Rule


@lru_cache(maxsize=1)
def all_rules() -> tuple[Rule, ...]:
    """Every rule by its code, found by walking this folder."""
    rules = [
        importlib.import_module(f"{__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return tuple(sorted(rules, key=lambda rule: rule.code))


def get_rule(code: str) -> Rule:
    """The rule with this code. Raises KeyError."""
    return {rule.code: rule for rule in all_rules()}[code]
