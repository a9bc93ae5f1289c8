"""Configurations with values, names and bytes that do not belong there, and every model that they name."""

from __future__ import annotations

from pathlib import Path
from random import Random

import tomlkit

from aipc.core.config import load_config, resolve_model
from aipc.core.errors import AipcError
from aipc.core.names import name_problem

from ..harness import MODEL, Kind, Shared, damage, mutate

CONFIG = {
    "tool": {
        "aipc": {
            "soc": "sm8650",
            "target": "simulator",
            "models": {
                "small": {
                    "entry": "model.py:Small",
                    "inputs": {"x": "float32[1,3,16,16]"},
                    "precision": "fp16",
                    "calibration": "data.npz",
                    "calibration_count": 8,
                    "tolerance": {"sqnr_db": 40},
                    "dims": {"batch": [1, 2]},
                }
            },
            "targets": {"ssh:board": {"directory": "~/aipc", "poll_seconds": 5}},
        }
    }
}


def trial(random: Random, place: Path, shared: Shared) -> str:
    path = place / "pyproject.toml"
    (place / "model.py").write_text(MODEL)
    value = CONFIG
    for _ in range(random.randrange(1, 4)):
        value = mutate(random, value)
    try:
        path.write_text(tomlkit.dumps(value) if isinstance(value, dict) else str(value), "utf-8")
    except Exception:  # TOML has no None and no such integers: bytes are damaged instead
        path.write_text(tomlkit.dumps(CONFIG), "utf-8")
        damage(random, path)
    try:
        config = load_config(place)
        for name in config.models:
            ref = resolve_model(name, place, config)
            if name_problem(ref.name):
                return f"taken as a name: {ref.name!r}"
    except AipcError as error:
        return "" if len(str(error).splitlines()) == 1 else f"not a sentence: {error}"
    return ""


KIND = Kind(name="configuration", trial=trial, fixed=60)
