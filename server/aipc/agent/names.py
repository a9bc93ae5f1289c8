"""Where dotted names lead: ``torch.os`` is the module ``os``, whatever it is reached by.

Resolved on the installed libraries, in a worker; no code of the project or of a proposal runs here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from aipc.core.types import Event

from .policy import ALLOWED_IMPORTS, REFUSED_MODULES

_BUILT_IN = {
    "math",
    "operator",
    "functools",
    "itertools",
    "numbers",
    "typing",
    "collections",
    "abc",
    "enum",
    "warnings",
}


def foreign(report: Callable[[Event], None], *, chains: Sequence[str]) -> dict[str, str]:
    """Chain -> the module on its way that a rewrite has no business with. Chains that lead nowhere are left out."""
    names = {}
    for chain in chains:
        if module := _foreign_module(chain):
            names[chain] = module
    return names


def _foreign_module(chain: str) -> str:
    names = chain.split(".")
    try:
        value: Any = importlib.import_module(names[0])
    except ImportError:
        return ""
    for name in names[1:]:
        try:
            value = getattr(value, name)
        except AttributeError:
            try:
                value = importlib.import_module(f"{value.__name__}.{name}") if isinstance(value, ModuleType) else None
            except ImportError:
                return ""
        if isinstance(value, ModuleType) and _is_foreign(value.__name__):
            return value.__name__
    return ""


def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return top not in _BUILT_IN
    return top not in ALLOWED_IMPORTS or module.startswith(REFUSED_MODULES)
