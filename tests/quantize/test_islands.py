"""Nodes that are left in fp16 in a graph of integers: real islands on the NPU, with a conversion before and after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.debug.attribute import node_accuracy
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize.plan import plan_for

from .graphs import distance, on_simulator, quantized, random_samples, save_graph

INPUTS = {"x": [1, 4, 12, 12]}


def steep(path):
    """An exponential between two layers: what 8 bits hold of it is its largest values alone."""
    draw = np.random.default_rng(7)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "first"),
        helper.make_node("Exp", ["c"], ["e"], "steep"),
        helper.make_node("Log", ["e"], ["l"], "flat"),
        helper.make_node("Conv", ["l", "v"], ["y"], "last"),
    ]
    constants = {
        "w": draw.standard_normal((8, 4, 1, 1)).astype(np.float32),
        "v": draw.standard_normal((4, 8, 1, 1)).astype(np.float32),
    }
    return save_graph(path, nodes, INPUTS, ["y"], constants)


@pytest.mark.parametrize("precision", ["w8a8", "w8a16"])
def test_an_island_is_computed_in_fp16_and_cures_what_integers_cannot_hold(tmp_path, pool, precision):
    model = steep(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", INPUTS, 8)
    plan = plan_for(precision)
    island = replace(plan, float_nodes=("steep", "flat"))
    reference = run_cpu(model, read_npz(samples[0]))
    reached = {}
    for item in (plan, island):
        result = quantized(model, tmp_path / "samples", item)
        reached[item] = distance(reference, on_simulator(pool, result.model, samples[0]))
    assert reached[island] > reached[plan] + 10
    assert result.counts == {"total": 4, "float": 2, "quantized": 2, "qdq": result.counts["qdq"]}
    assert "e" not in result.encodings


def test_the_tensors_at_the_border_of_an_island_are_converted_once(tmp_path):
    model = steep(tmp_path / "model.onnx")
    random_samples(tmp_path / "samples", INPUTS, 3)
    result = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), float_nodes=("steep", "flat")))
    graph = onnx.load(result.model).graph
    made = {name: node for node in graph.node for name in node.output}
    takers = {name: node for node in graph.node for name in node.input}
    named = {node.name: node for node in graph.node}
    assert made[named["steep"].input[0]].op_type == "DequantizeLinear"
    assert named["flat"].input[0] == named["steep"].output[0]
    assert takers[named["flat"].output[0]].op_type == "QuantizeLinear"


def test_what_leaves_an_island_is_read_as_it_is_beside_what_is_computed_from_it(tmp_path):
    draw = np.random.default_rng(7)
    shapes = {"p": (32, 32), "q": (32, 4096), "b": (4096,)}
    constants = {name: draw.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    nodes = [
        helper.make_node("MatMul", ["x", "p"], ["a"], "first"),
        helper.make_node("MatMul", ["a", "q"], ["m"], "head"),
        helper.make_node("Add", ["m", "b"], ["n"], "bias"),
        helper.make_node("Softmax", ["n"], ["y"], "last"),
    ]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 40, 32]}, ["y"], constants)
    samples = random_samples(tmp_path / "samples", {"x": [1, 40, 32]})
    made = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), float_nodes=("head",)))
    found = node_accuracy(
        lambda event: None, model=str(model), inputs_npz=str(samples[0]), soc="sm8650", quantized=made.model
    )
    assert found.unchanged is True
    assert found.nodes["head"].introduced_sqnr_db > 25
    assert found.nodes["bias"].introduced_sqnr_db > 25
