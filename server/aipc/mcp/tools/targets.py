"""``targets``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.errors import InputError

from ..tool import Call, Tool


def _run(call: Call) -> Any:
    target, package = call.get("target"), call.get("package")
    if target is None:
        if package is not None:
            raise InputError("a package is compared with a device", remedy="give target too")
        return engine.targets_document(call.workspace.root)
    place = call.workspace.path(package) if package else None
    return engine.examine_target(target, place, call.pool, call.on_event, call.cancel, call.workspace.root)


TOOL = Tool(
    name="targets",
    title="List targets and chips, or look at one target",
    description="Where packages can run now (the simulator, connected devices; with the reason where one is not "
    "available), and the Snapdragon chips that can be compiled for. With target: connect to that one and say what it "
    "is, has and lacks, and whether a package fits it; nothing there is changed.",
    run=_run,
    properties={
        "target": {"type": "string", "description": "Look at this one. A device asks the user first."},
        "package": {"type": "string", "description": "Say whether this package, inside the workspace, fits target."},
    },
    target=lambda call: str(call.get("target", "simulator")),
    only_looks=True,
    doing="connect to the device {target} and look at what it is",
)
