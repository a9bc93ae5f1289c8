"""Operators that are wrong on the NPU are found, and healthy ones are not accused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aipc.debug.localize import localize
from aipc.numerics.types import NodeNumerics, Verdict
from qairt.models import Array, node, noise, save


def verdicts(path: Path, inputs: dict[str, Array], **options: bool) -> dict[str, NodeNumerics]:
    return {result.node: result for result in localize(path, inputs, "sm8650", **options).nodes}


def test_healthy_nodes_are_ok(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        node("Sigmoid", ["c"], ["s"], "sigmoid"),
        node("Mul", ["c", "s"], ["m"], "mul"),
        node("MaxPool", ["m"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Softmax", ["p"], ["q"], "softmax", axis=1),
        node("Reshape", ["q", "shape"], ["r"], "reshape"),
        node("MatMul", ["r", "v"], ["y"], "matmul"),
    ]
    x = noise(1, 3, 16, 16)
    constants = {"w": noise(8, 3, 3, 3, seed=1), "shape": np.array([8, 64]), "v": noise(64, 10, seed=2)}
    found = verdicts(save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"], constants), {"x": x})
    assert {name: result.verdict for name, result in found.items()} == dict.fromkeys(
        ("conv", "sigmoid", "mul", "pool", "softmax", "reshape", "matmul"), Verdict.OK
    )
    assert all(result.sqnr_db is not None and result.sqnr_db > 55 for result in found.values())


def test_wrong_operators_are_found_among_healthy_ones(tmp_path: Path) -> None:
    x, volume = noise(1, 4, 8, 12), noise(1, 2, 4, 6, 6, seed=3)
    big = np.int64([70000, -5, 3, 100000])
    nodes = [
        node("Relu", ["x"], ["relu_y"], "relu"),
        node("Pad", ["x", "pads"], ["pad_y"], "replicate_pad", mode="edge"),
        node("Resize", ["v", "", "scales"], ["trilinear_y"], "trilinear", mode="linear"),
        node("Mul", ["n", "n"], ["square"], "integer_mul"),
        node("Neg", ["x"], ["neg_y"], "neg"),
    ]
    constants = {"pads": np.array([0, 0, 1, 2, 0, 0, 1, 2]), "scales": np.float32([1, 1, 2, 2, 2])}
    inputs = {"x": x, "v": volume, "n": big}
    path = save(tmp_path / "m.onnx", nodes, inputs, ["relu_y", "pad_y", "trilinear_y", "square", "neg_y"], constants)
    found = verdicts(path, inputs)
    wrong = {name for name, result in found.items() if result.verdict is Verdict.WRONG}
    assert wrong == {"replicate_pad", "trilinear", "integer_mul"}
    pad = found["replicate_pad"]
    assert pad.output == "pad_y"
    assert pad.worst_index[-1] in (0, 1, 14, 15), "only the innermost padding is garbage"
    assert pad.expected == np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)), mode="edge")[pad.worst_index]
    assert pad.ideal_fp16_sqnr_db is not None
    assert pad.ideal_fp16_sqnr_db > 60


def test_rounding_that_jumps_is_not_called_wrong(tmp_path: Path) -> None:
    # Just above an integer: fp16 sees the integer, so ceil is one less. Correct rounding does the same.
    x = np.arange(1, 65, dtype=np.float32) + np.float32(1e-4)
    nodes = [
        node("Ceil", ["x"], ["c"], "ceil"),
        node("Cast", ["c"], ["y"], "cast", to=7),
        node("Tan", ["x"], ["t"], "tan"),
    ]
    found = verdicts(save(tmp_path / "m.onnx", nodes, {"x": x}, ["y", "t"]), {"x": x})
    assert found["ceil"].verdict is Verdict.ROUNDING
    assert found["ceil"].max_abs == pytest.approx(1.0)
    assert found["tan"].verdict is not Verdict.WRONG


def test_values_beyond_the_range_of_fp16_are_named(tmp_path: Path) -> None:
    x = noise(4, 32, scale=1000)
    nodes = [node("Mul", ["x", "x"], ["s"], "square"), node("Sqrt", ["s"], ["y"], "sqrt")]
    found = verdicts(save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"]), {"x": x})
    assert found["square"].verdict is Verdict.ROUNDING
    assert found["square"].saturated > 0


def test_equal_nodes_are_run_once_and_the_cpu_is_told_apart(tmp_path: Path) -> None:
    nodes = [node("Add", ["x" if k == 0 else f"t{k}", "k"], [f"t{k + 1}"], f"add{k}") for k in range(10)]
    nodes.append(node("Det", ["t10"], ["y"], "det"))
    x = noise(2, 3, 3)
    path = save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"], {"k": np.float32([0.5])})
    found = verdicts(path, {"x": x})
    assert len({found[f"add{k}"].measured_on for k in range(1, 10)}) == 1
    assert found["add3"].output == "t4"
    assert found["det"].verdict is Verdict.CPU


def test_boundary_values_show_what_the_true_inputs_hide(tmp_path: Path) -> None:
    x = np.float32([[0.25, 0.75, 1.25, 3.0]])
    nodes = [node("Mul", ["x", "k"], ["m"], "mul"), node("Exp", ["m"], ["y"], "exp")]
    path = save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"], {"k": np.float32([4])})
    assert verdicts(path, {"x": x})["mul"].verdict is Verdict.OK
    assert verdicts(path, {"x": x}, boundary=True)["mul"].saturated >= 0


def test_a_node_is_run_as_in_its_graph(tmp_path: Path) -> None:
    # An edge-mode Pad is wrong where it reads a graph input, and right behind another node.
    x = noise(1, 3, 8, 10)
    nodes = [
        node("Pad", ["x", "pads"], ["p"], "outer_pad", mode="edge"),
        node("Relu", ["x"], ["r"], "relu"),
        node("Pad", ["r", "pads"], ["q"], "inner_pad", mode="edge"),
    ]
    constants = {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    found = verdicts(save(tmp_path / "m.onnx", nodes, {"x": x}, ["p", "q"], constants), {"x": x})
    assert found["outer_pad"].verdict is Verdict.WRONG
    assert "in the whole graph" in found["outer_pad"].detail
    assert found["inner_pad"].verdict is Verdict.OK
