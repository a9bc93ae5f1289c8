"""What follows from shapes and constants is no operator of a quantized graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from aipc.graph.index import Graph
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize import prepare_graph
from aipc.quantize.passes.fold_constants import fold_constants
from aipc.quantize.plan import plan_for

from .graphs import distance, on_simulator, quantized, random_samples, save_graph

SHAPE = [1, 4, 6, 8]


def grid(path: Path) -> Path:
    """A convolution's output plus the number of its column, which is worked out from its shape as it runs."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "layer"),
        helper.make_node("Shape", ["c"], ["s"], "shape"),
        helper.make_node("Gather", ["s", "last"], ["n"], "width"),
        helper.make_node("Cast", ["n"], ["f"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Range", ["zero", "f", "one"], ["r"], "columns"),
        helper.make_node("Add", ["c", "r"], ["y"], "placed"),
    ]
    constants = {
        "w": np.random.default_rng(0).standard_normal((4, 4, 1, 1)).astype(np.float32),
        "last": np.array(3),
        "zero": np.array(0, np.float32),
        "one": np.array(1, np.float32),
    }
    return save_graph(path, nodes, {"x": SHAPE}, ["y"], constants)


@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
def test_a_grid_that_is_made_of_a_shape_runs_on_an_npu_of_integers(tmp_path, pool, soc):
    model = grid(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", {"x": SHAPE})
    made = quantized(model, tmp_path / "samples", plan_for("w8a16"), soc)
    assert any("4 nodes that follow from shapes and constants" in note for note in made.notes)
    reference = run_cpu(model, read_npz(samples[0]))
    assert distance(reference, on_simulator(pool, made.model, samples[0], soc)) > 40


def test_the_folded_graph_computes_the_same_and_only_what_is_read_becomes_a_constant(tmp_path):
    model = grid(tmp_path / "model.onnx")
    prepared = prepare_graph.prepare(onnx.load(str(model)), plan_for("w8a16"), {}, {})
    assert [node.op_type for node in prepared.model.graph.node] == ["Conv", "Add"]
    assert {"r"} == {item.name for item in prepared.model.graph.initializer} - {"w", "last", "zero", "one"}
    onnx.save(prepared.model, str(tmp_path / "folded.onnx"))
    inputs = read_npz(random_samples(tmp_path / "samples", {"x": SHAPE}, 1)[0])
    assert distance(run_cpu(model, inputs), run_cpu(tmp_path / "folded.onnx", inputs)) > 130


def test_what_is_drawn_kept_quantized_or_given_back_stays(tmp_path):
    nodes = [
        helper.make_node("RandomNormalLike", ["w"], ["a"], "drawn"),
        helper.make_node("DequantizeLinear", ["q", "one"], ["b"], "stored"),
        helper.make_node("Neg", ["w"], ["c"], "kept"),
        helper.make_node("Neg", ["w"], ["d"], "given"),
        helper.make_node("Abs", ["w"], ["e"], "folded"),
        helper.make_node("Sum", ["x", "a", "b", "c", "d", "e"], ["y"], "sum"),
    ]
    constants = {"w": np.ones(3, np.float32), "q": np.ones(3, np.int8), "one": np.array(1, np.float32)}
    model = onnx.load(str(save_graph(tmp_path / "model.onnx", nodes, {"x": [3]}, ["y", "d"], constants)))
    graph = Graph(model)
    assert fold_constants(graph, frozenset({"kept"})) == 1
    assert [node.name for node in model.graph.node] == ["drawn", "stored", "kept", "given", "sum"]
    assert graph.array("e") == pytest.approx(np.ones(3))


def test_a_shape_that_is_open_is_not_guessed(tmp_path):
    model = onnx.load(str(grid(tmp_path / "model.onnx")))
    for value in (*model.graph.input, *model.graph.value_info):
        if value.name in {"x", "c"}:
            value.type.tensor_type.shape.dim[3].dim_param = "width"
    assert fold_constants(Graph(model), frozenset()) == 0
