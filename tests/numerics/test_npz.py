"""Arrays keep their names in files, also those that numpy.savez takes for its own arguments."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import numpy as np

import aipc
from aipc.numerics.npz import read_npz, write_npz
from aipc.targets.device_runner import RUNNER

NAMES = ("file", "args", "kwds", "allow_pickle", "", "a/b", "größe", "x.npy")


def test_every_name_comes_back(tmp_path):
    arrays = {name: np.full((2, number), number, np.float32) for number, name in enumerate(NAMES)}
    write_npz(tmp_path / "x.npz", arrays)
    found = read_npz(tmp_path / "x.npz")
    assert list(found) == list(NAMES)
    assert all((found[name] == arrays[name]).all() for name in NAMES)


def test_a_package_writes_an_output_that_is_called_file(tmp_path):
    spec = importlib.util.spec_from_file_location("runner", RUNNER)
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    runner.write_outputs(np, tmp_path / "out.npz", {"file": np.ones(3, np.float32), "y": np.zeros(2, np.int8)})
    found = read_npz(tmp_path / "out.npz")
    assert found["file"].tolist() == [1, 1, 1] and found["y"].dtype == np.int8
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


def test_no_names_are_handed_to_savez():
    found = [
        f"{path}:{node.lineno}"
        for path in Path(aipc.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr.startswith("savez")
    ]
    assert found == []
