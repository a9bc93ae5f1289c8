"""Damaged ONNX files: a check answers or refuses in a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

from ..harness import Kind, Shared, damage, sentence_problem


def trial(random: Random, place: Path, shared: Shared) -> str:
    graph = next(
        path for path in sorted(shared.cache.glob("entries/*/*/model.onnx")) if (path.parent / "inputs.npz").exists()
    )
    shutil.copyfile(graph, place / "model.onnx")
    for _ in range(random.randrange(1, 4)):
        if (place / "model.onnx").exists():
            damage(random, place / "model.onnx")
    finished = shared.aipc(place, "check", "model.onnx", "--soc", "sm8650", "--timeout", "60")
    return sentence_problem(finished, (0, 1, 2))


KIND = Kind(name="models", trial=trial, most=400)
