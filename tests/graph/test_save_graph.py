"""Graphs are written with their weights in the file, or beside it when the file would be too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from aipc.graph import save_graph as module
from aipc.graph.save_graph import WEIGHTS, save_graph

WEIGHT = np.arange(4096, dtype=np.float32)


def model() -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4096]) for name in "xy")
    node = helper.make_node("Add", ["x", "w"], ["y"], name="add")
    graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(WEIGHT, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def weight(path: Path) -> np.ndarray:
    return numpy_helper.to_array(onnx.load(path).graph.initializer[0])


@pytest.mark.parametrize("form", [lambda proto: proto, ir.from_proto], ids=["proto", "ir"])
@pytest.mark.parametrize("beside", [False, True])
def test_weights_go_beside_a_file_that_would_be_too_large(tmp_path: Path, monkeypatch, form, beside: bool) -> None:
    graph = form(model())
    size = WEIGHT.nbytes if isinstance(graph, ir.Model) else graph.ByteSize()
    monkeypatch.setattr(module, "_MOST_BYTES", size - beside)
    save_graph(graph, tmp_path / "model.onnx")
    assert (tmp_path / WEIGHTS).exists() is beside
    assert np.array_equal(weight(tmp_path / "model.onnx"), WEIGHT)


def test_a_graph_that_is_used_afterwards_keeps_its_weights(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1)
    graph = model()
    save_graph(graph, tmp_path / "model.onnx", keep=True)
    assert np.array_equal(numpy_helper.to_array(graph.graph.initializer[0]), WEIGHT)
    assert np.array_equal(weight(tmp_path / "model.onnx"), WEIGHT)


def test_a_graph_that_is_written_again_replaces_its_weights(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1)
    graph = model()
    for _ in range(2):
        save_graph(graph, tmp_path / "model.onnx", keep=True)
    assert (tmp_path / WEIGHTS).stat().st_size == WEIGHT.nbytes
