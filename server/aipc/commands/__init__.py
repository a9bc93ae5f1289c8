"""The commands of ``aipc``: one file a command, found by walking this folder.

A command's file has the command's name and holds one function called ``command``. Its signature is the
command's arguments and options, the first paragraph of its docstring the help, and it returns the exit
status: 0 clean or done, 1 findings or a gate not passed. It raises :class:`aipc.core.errors.AipcError` for
what it cannot do. Files that begin with ``_`` are helpers.

Architecture invariant: importing a command imports no heavy library and not the engine, so that
``aipc --help`` stays quick.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any


def discover(only: str = "") -> dict[str, Callable[..., Any]]:
    """Every command by its name, in alphabetical order; that named ``only`` alone, where it is one."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")
    names = [only.replace("-", "_")] if only.replace("-", "_") in names else names
    return {name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").command for name in names}
