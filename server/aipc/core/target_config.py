"""``[tool.aipc.targets."NAME"]``: what is to be known of one device, and cannot be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import ConfigError

KEYS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "soc": (str, "the chip, where the device's system does not name it"),
    "directory": (str, "where AIPC keeps everything on the device; `~/.aipc` by default"),
    "python": (str, "the device's own Python that runs packages, instead of a private environment"),
    "cpu_baseline": (bool, "`false`: a deployment does not also run the uncompiled model on the device's CPU"),
    "setup": (str, "`offline` (this computer downloads the wheels and pushes them, the default) or `online`"),
    "sdk": (str, "the QAIRT SDK that brings `qnn-net-run` to a phone, instead of QAIRT_SDK_ROOT"),
    "upload": (bool, "`true` allows that model and inputs are uploaded to Qualcomm AI Hub (`aihub:` only)"),
    "compile": (str, "`here` (the package's context binary runs, the default) or `there` (AI Hub compiles the graph)"),
    "poll_seconds": ((int, float), "how often AI Hub is asked for a job's state; 5 by default"),
    "connect_seconds": ((int, float), "how long connecting may take; 20 by default"),
    "silence": ((int, float), "seconds without a sign of life after which the device counts as lost; 30 by default"),
    "npu_files": (list, "patterns of the NPU's device files, to see who else uses it"),
}
"""Key, type and meaning; the reference page of the configuration is made from it."""


def parse_targets(path: Path, table: Any) -> dict[str, dict[str, Any]]:
    """Check the tables of all targets. Raises ConfigError naming the first thing that is wrong."""
    if not isinstance(table, dict):
        raise ConfigError(f"tool.aipc.targets in {path} is not a table", remedy='write [tool.aipc.targets."ssh:HOST"]')
    return {name: _parse(path, name, value) for name, value in table.items()}


def _parse(path: Path, name: str, table: Any) -> dict[str, Any]:
    where = f'[tool.aipc.targets."{name}"] in {path}'
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", remedy="write it as a table")
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigError(f"{where} has the unknown key {key!r}", remedy=f"known are {', '.join(KEYS)}")
        if not isinstance(value, KEYS[key][0]) or (isinstance(value, bool) and KEYS[key][0] is not bool):
            raise ConfigError(f"{key} of {where} has the wrong type", remedy=f"{key} is {KEYS[key][1]}")
    if table.get("setup", "offline") not in {"offline", "online"}:
        raise ConfigError(f"setup of {where} is {table['setup']!r}", remedy="write offline or online")
    if table.get("compile", "here") not in {"here", "there"}:
        raise ConfigError(f"compile of {where} is {table['compile']!r}", remedy="write here or there")
    return dict(table)
