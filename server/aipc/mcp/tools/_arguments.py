"""Arguments that several tools share, so that each is spelled and explained once; and answers made shorter."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call

MODEL = {
    "type": "string",
    "description": "The model: file.py:Name (an nn.Module class, an instance or a factory function), a name from "
    "[tool.aipc.models] of pyproject.toml, or a .onnx or .pt2 file. Paths are relative to the workspace.",
}
SOC = {
    "type": "string",
    "description": "Snapdragon chip to compile for, such as sm8650. Default: the configuration's, else sm8650.",
}
PRECISION = {
    "type": "string",
    "description": "Number format: fp16, w8a16, w8a8, mixed or auto. Default: the configuration's, else fp16.",
}
TARGET = {
    "type": "string",
    "description": "Where to run: simulator, or a device that targets lists. A device asks the user first.",
}
SETUP = {
    "type": "boolean",
    "description": "Install what the device lacks, in a directory of its own there. The user is asked each time.",
}
PACKAGE = {"type": "string", "description": "Directory of a package that deploy wrote, inside the workspace."}
JOB = {"type": "string", "description": "Id of the job, as the tool that started it answered."}
CALIBRATION = {
    "type": "string",
    "description": "Data to quantize with, inside the workspace: a folder of images, a .npz or .npy, file.py:name, "
    "or random, which says so in every report. Default: the configuration's.",
}
CALIBRATION_COUNT = {"type": "integer", "minimum": 1, "description": "Calibration samples to use."}
NO_CACHE = {"type": "boolean", "description": "Do all the work again."}


def check_request(call: Call) -> engine.CheckRequest:
    return engine.CheckRequest(
        call.model,
        call.get("soc"),
        call.get("precision"),
        full=not call.get("quick", False),
        numerics=call.get("numerics", False),
        cwd=call.workspace.root,
        use_cache=not call.get("no_cache", False),
    )


def target_of(call: Call) -> str:
    """The target that was asked for, else the one of the configuration of the model, else the simulator."""
    return str(call.get("target") or call.workspace.project(call.model).target or "simulator")


def calibration_of(call: Call) -> str | None:
    """The calibration data that was asked for, inside the workspace."""
    text = str(call.get("calibration", ""))
    if text in ("", "random"):
        return text or None
    file, separator, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    return f"{call.workspace.path(file)}{separator}{name}"


def without_nodes(document: dict[str, Any]) -> dict[str, Any]:
    """A check's answer without the list of all nodes, which the tool placement gives."""
    return {key: value for key, value in document.items() if key != "node_placements"}
