from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from aipc.core.errors import InputError, ModelLoadError
from aipc.numerics.cpu import run_cpu
from aipc.numerics.stepper import Stepper, load
from qairt.models import node, noise, save


def test_equals_running_the_whole_graph(tmp_path: Path) -> None:
    x = noise(1, 4, 8, 8)
    nodes = [
        node("Conv", ["x", "w"], ["a"], "conv", pads=[1, 1, 1, 1]),
        node("Split", ["a"], ["b", "c"], "split", axis=1, num_outputs=2),
        node("Clip", ["b", "", "six"], ["d"], "clip"),
        node("Add", ["c", "c"], ["e"], "add"),
        node("Concat", ["d", "e"], ["y"], "concat", axis=1),
    ]
    constants = {"w": noise(4, 4, 3, 3, seed=1), "six": np.float32(0.5)}
    path = save(tmp_path / "m.onnx", nodes, {"x": x}, ["y", "a"], constants)
    seen: list[str] = []
    outputs = Stepper(load(path)).walk({"x": x}, visit=lambda node, *_: seen.append(node.name))
    assert seen == ["conv", "split", "clip", "add", "concat"]
    for name, value in run_cpu(path, {"x": x}, optimize=False).items():
        np.testing.assert_allclose(outputs[name], value, rtol=1e-5, atol=1e-6)


def test_sub_graphs_see_the_tensors_around_them(tmp_path: Path) -> None:
    def branch(op: str) -> onnx.GraphProto:
        result = helper.make_tensor_value_info(f"{op}_y", TensorProto.FLOAT, [3])
        return helper.make_graph([helper.make_node(op, ["x", "k"], [f"{op}_y"])], op, [], [result])

    chosen = helper.make_node("If", ["c"], ["y"], name="if", then_branch=branch("Add"), else_branch=branch("Mul"))
    path = tmp_path / "m.onnx"
    x = np.float32([1, 2, 3])
    save(path, [chosen], {"x": x, "c": np.array(True)}, ["y"], {"k": np.float32([10])})
    stepper = Stepper(load(path))
    np.testing.assert_array_equal(stepper.walk({"x": x, "c": np.array(True)})["y"], x + 10)
    np.testing.assert_array_equal(stepper.walk({"x": x, "c": np.array(False)})["y"], x * 10)


def test_equal_nodes_share_one_session(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x" if k == 0 else f"t{k}"], [f"t{k + 1}"], f"relu{k}") for k in range(20)]
    path = save(tmp_path / "m.onnx", nodes, {"x": noise(4)}, ["t20"])
    stepper = Stepper(load(path))
    np.testing.assert_array_equal(stepper.walk({"x": noise(4)})["t20"], np.maximum(noise(4), 0))
    assert len(stepper._sessions) == 1


def test_wrong_inputs_and_files_are_named(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["y"], "relu")], {"x": noise(4)}, ["y"])
    with pytest.raises(InputError, match="'x' is missing"):
        Stepper(load(path)).walk({})
    (tmp_path / "broken.onnx").write_bytes(b"\x08nonsense")
    with pytest.raises(ModelLoadError, match="not a readable ONNX file"):
        load(tmp_path / "broken.onnx")
