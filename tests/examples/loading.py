"""Load an example's file as ``aipc`` does: by path, under a name of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(file: str) -> ModuleType:
    """Import ``examples/<file>`` with its own directory importable meanwhile; nothing stays imported."""
    path = EXAMPLES / file
    before = set(sys.modules)
    spec = importlib.util.spec_from_file_location(file.replace("/", "_").removesuffix(".py"), path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
        for name in {"model", "models", "shared", "shared.package"} & (set(sys.modules) - before):
            del sys.modules[name]
    return module
