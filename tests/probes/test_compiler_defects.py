"""Defects of the compiler that an example does not show are found by probes.

What deploy would rewrite is left as it is here: the graphs are compiled and run in the simulator as they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from aipc.core.config import load_config, resolve_model
from aipc.core.probes import ProbeStatus
from aipc.core.types import TensorSpec
from aipc.numerics.cpu import run_cpu
from aipc.numerics.metrics import compare_outputs
from aipc.pipeline.probing import on_graph, on_package
from aipc.probes.jobs import examine
from aipc.probes.jobs import on_package as run_on_package
from aipc.qairt.compile import compile_context
from aipc.qairt.package_jobs import run_all

SOC = "sm8650"


def silent(event):
    return None


def write(path: Path, nodes, inputs, output, constants):
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for name, a in inputs.items()
    ]
    results = [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)]
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", values, results, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def nearest_floor(folder: Path):
    """QAIRT 2.51 takes another pixel than floor does of half-pixel centres: a picture of one colour is the same."""
    inputs = {"image": np.full((1, 3, 16, 16), 0.5, np.float32)}
    node = helper.make_node(
        "Resize",
        ["image", "", "scales"],
        ["y"],
        "resize",
        mode="nearest",
        coordinate_transformation_mode="half_pixel",
        nearest_mode="floor",
    )
    write(folder / "model.onnx", [node], inputs, (1, 3, 24, 24), {"scales": np.float32([1, 1, 1.5, 1.5])})
    return inputs


def rows_by_tuple(folder: Path):
    """QAIRT 2.51 reads the row index + i // shape[1] of the i-th tuple: rows that are all equal are the same."""
    inputs = {"table": np.tile(np.random.default_rng(0).random((1, 4, 6), np.float32), (8, 1, 1))}
    node = helper.make_node("GatherND", ["table", "rows"], ["y"], "gather")
    write(folder / "model.onnx", [node], inputs, (6, 4, 6), {"rows": np.array([[0], [5], [2], [1], [3], [0]])})
    return inputs


def masked_rows(folder: Path):
    """QAIRT 2.51 takes -inf for its most negative number, so a row without any True has the mean of all values."""
    rng = np.random.default_rng(0)
    inputs = {name: rng.standard_normal((1, 6, 8), np.float32) for name in ("scores", "values")}
    inputs = {"scores": inputs["scores"][:, :, :6].copy(), "values": inputs["values"], "mask": np.ones((1, 6, 6), bool)}
    nodes = [
        helper.make_node("Where", ["mask", "scores", "low"], ["masked"], "hide"),
        helper.make_node("Softmax", ["masked"], ["weights"], "softmax", axis=-1),
        helper.make_node("IsNaN", ["weights"], ["empty"], "empty_rows"),
        helper.make_node("Where", ["empty", "zero", "weights"], ["kept"], "keep"),
        helper.make_node("MatMul", ["kept", "values"], ["y"], "product"),
    ]
    write(folder / "model.onnx", nodes, inputs, (1, 6, 8), {"low": np.float32(-np.inf), "zero": np.float32(0)})
    return inputs


@pytest.mark.parametrize(
    ("defect", "probe", "reason"),
    [
        (nearest_floor, "image-natural", "the NPU gives another answer where correctly rounded fp16 does not"),
        (rows_by_tuple, "table-other", "the NPU gives another answer where correctly rounded fp16 does not"),
        (masked_rows, "mask-empty-row", "it needs infinities or NaN, which the NPU has not"),
    ],
)
def test_a_defect_of_the_compiler_that_the_example_does_not_show_fails_a_probe(tmp_path, defect, probe, reason):
    example = defect(tmp_path)
    np.savez(tmp_path / "inputs.npz", **example)
    ref = resolve_model(str(tmp_path / "model.onnx"), tmp_path, load_config(tmp_path))
    specs = tuple(TensorSpec(name, array.dtype.name, array.shape) for name, array in example.items())
    found = examine(
        silent,
        ref=ref,
        capture=str(tmp_path),
        inputs=specs,
        out=str(tmp_path),
        threshold_db=100.0,
        seconds=30.0,
        data=(),
        preprocess=None,
    )
    names = [item.name for item in found.probes]
    assert probe in names
    package = compile_context(str(tmp_path / "model.onnx"), SOC, str(tmp_path / "package"))
    pairs = [(str(tmp_path / f"{name}.npz"), str(tmp_path / f"{name}.out.npz")) for name in ("inputs", *names)]
    run_all(silent, package_model=package.model, samples=pairs, soc=SOC)
    with np.load(pairs[0][1]) as actual:
        (own,) = compare_outputs(run_cpu(tmp_path / "model.onnx", example), dict(actual))
    assert own.sqnr_db > 40, "the example shows it already"
    outputs = {name: file for name, (_, file) in zip(names, pairs[1:], strict=True)}
    measured = run_on_package(
        silent, model=str(tmp_path / "model.onnx"), directory=str(tmp_path), outputs=outputs, threshold_db=40.0
    )
    results = {}
    for item, figures in zip(found.probes, measured, strict=True):
        results[item.name] = on_package(on_graph(item, {}), item, figures, {}, None)
    assert results[probe].status is ProbeStatus.FAILED
    assert reason in results[probe].reason
