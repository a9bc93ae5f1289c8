"""Damaged files of arrays, for AIPC's jobs and for the runner."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from aipc.core.errors import AipcError
from aipc.core.files import check_array_output
from aipc.numerics.npz import read_npz
from aipc.targets.device_runner import RUNNER

from ..harness import Kind, Shared, damage


@lru_cache(maxsize=1)
def runner() -> Any:
    spec = importlib.util.spec_from_file_location("device_runner_under_test", RUNNER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trial(random: Random, place: Path, shared: Shared) -> str:
    path = place / "x.npz"
    arrays = {"x": np.arange(random.randrange(1, 500), dtype=np.float32), "größe": np.zeros((2, 3), np.int8)}
    np.savez(path, **arrays)
    damage(random, path)
    for read, refusal in ((read_npz, AipcError), (lambda file: runner().read_npz(np, file), runner().PackageProblem)):
        try:
            found = read(path)
        except refusal:
            continue
        if any(array.dtype.hasobject for array in found.values()):
            return "objects were unpickled"
    before = path.read_bytes() if path.exists() else None
    with suppress(AipcError):
        check_array_output(path)
    return "" if before == (path.read_bytes() if path.exists() else None) else "the check changed the file"


KIND = Kind(name="arrays", trial=trial, fixed=60)
