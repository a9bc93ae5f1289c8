"""AIPC: deploy PyTorch models to Snapdragon, checked by Qualcomm's own compiler.

The public Python interface (docs/python.md):

    import aipc

    report = aipc.check(model, example_inputs, soc="sm8650")
    deployed = aipc.deploy(model, example_inputs, soc="sm8650")
    package = aipc.load(deployed.package)
    outputs = package(x)

``import aipc`` imports no other library; each name below is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipc.api import CheckReport, Comparison, DeployReport, Package, check, compare, deploy, evaluate, load
    from aipc.core.errors import AipcError
    from aipc.core.types import Event, Finding, Severity

__version__ = "0.1.0"

__all__ = [
    "AipcError",
    "CheckReport",
    "Comparison",
    "DeployReport",
    "Event",
    "Finding",
    "Package",
    "Severity",
    "check",
    "compare",
    "deploy",
    "evaluate",
    "load",
]

_MODULES = {"AipcError": "aipc.core.errors"} | dict.fromkeys(("Event", "Finding", "Severity"), "aipc.core.types")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'aipc' has no attribute {name!r}")
    value = getattr(import_module(_MODULES.get(name, "aipc.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
