"""Load an example's file as ``aipc`` does: by path, under a name of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NEIGHBOURS = ("model", "models", "shared", "shared.package")
"""Modules that every example names alike."""


def load(file: str) -> ModuleType:
    """Import ``examples/<file>`` with its own directory importable meanwhile; nothing stays imported.

    A neighbour that something else imported under the same name is set aside meanwhile.
    """
    path = EXAMPLES / file
    others = {name: sys.modules.pop(name) for name in NEIGHBOURS if name in sys.modules}
    spec = importlib.util.spec_from_file_location(file.replace("/", "_").removesuffix(".py"), path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
        for name in NEIGHBOURS:
            sys.modules.pop(name, None)
        sys.modules.update(others)
    return module
