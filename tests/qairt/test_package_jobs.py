from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from aipc.core.errors import InputError, StorageError
from aipc.core.types import Event
from aipc.debug import jobs as debug_jobs
from aipc.numerics.compare import compare
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz, write_npz
from aipc.numerics.types import Verdict
from aipc.qairt import package_jobs

from .models import node, noise, save


def test_compile_run_compare_localize(tmp_path: Path) -> None:
    x = noise(1, 3, 8, 10)
    nodes = [
        node("Pad", ["x", "pads"], ["p"], "pad", mode="edge"),
        node("Mul", ["p", "w"], ["y"], "scale"),
    ]
    constants = {"pads": np.array([0, 0, 0, 1, 0, 0, 0, 1]), "w": np.float32([0.5])}
    model = str(save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"], constants))
    inputs, reference, actual = (str(tmp_path / f"{name}.npz") for name in ("inputs", "reference", "actual"))
    write_npz(inputs, {"x": x})
    write_npz(reference, run_cpu(model, {"x": x}))
    events: list[Event] = []
    out = str(tmp_path / "package")

    compiled = package_jobs.compile(events.append, model=model, soc="sm8650", out=out)
    ran = package_jobs.run(events.append, package_model=compiled.model, inputs_npz=inputs, out_npz=actual, soc="sm8650")
    assert ran.outputs == ("y",)
    (accuracy,) = compare(events.append, reference_npz=reference, actual_npz=actual, model=model, inputs=inputs)
    assert accuracy.ideal_fp16_sqnr_db is not None
    assert accuracy.ideal_fp16_sqnr_db > 55
    assert accuracy.sqnr_db < 40, "replicate padding is wrong on the NPU"

    found = debug_jobs.localize(
        events.append,
        model=model,
        inputs_npz=inputs,
        soc="sm8650",
        out=str(tmp_path / "found"),
        divergence=True,
    )
    assert [(item.node, item.verdict) for item in found.nodes] == [
        ("pad", Verdict.WRONG),
        ("scale", Verdict.OK),
    ]
    assert found.divergence is not None
    assert found.divergence.node == "pad"
    assert pickle.loads(pickle.dumps((compiled, ran, found))) == (compiled, ran, found)
    assert {event.stage for event in events} == {"compile", "run", "compare", "localize"}


def test_npz_files_keep_names_order_and_bytes(tmp_path: Path) -> None:
    arrays = {"file": np.float32(1.5), "a/b.c": np.arange(3), "allow_pickle": np.zeros((0, 2), bool)}
    write_npz(tmp_path / "a.npz", arrays)
    write_npz(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_npz(tmp_path / "a.npz")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array, strict=isinstance(array, np.ndarray))


def test_unreadable_and_unwritable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("broken.npz", "array.npy", "missing.npz"):
        with pytest.raises(InputError, match=name):
            read_npz(tmp_path / name)
    with pytest.raises(StorageError, match="cannot write"):
        write_npz(tmp_path / "no" / "directory.npz", {"x": np.zeros(1)})
