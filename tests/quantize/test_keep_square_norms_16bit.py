"""What divides by a mean of squares keeps 16 bits in an 8-bit graph: inputs of low contrast stay right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.graph.index import Graph
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import write_npz
from aipc.quantize.passes.keep_square_norms_16bit import square_norms
from aipc.quantize.plan import plan_for

from .graphs import distance, on_simulator, quantized, save_graph

SHAPE = [1, 8, 6, 6]


def node(kind: str, inputs: list[str], output: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], f"{kind.lower()}_{output}", **attributes)


def power_mean(path):
    """x / mean(x ** 2)"""
    nodes = [
        node("Pow", ["x", "two"], "q"),
        node("ReduceMean", ["q"], "m", keepdims=0),
        node("Div", ["x", "m"], "y"),
    ]
    return save_graph(path, nodes, {"x": SHAPE}, ["y"], {"two": np.array(2, np.float32)})


def root_mean_square(path):
    """x * (1 / sqrt(mean(x * x) + epsilon))"""
    nodes = [
        node("Mul", ["x", "x"], "q"),
        node("ReduceMean", ["q", "axes"], "m"),
        node("Add", ["m", "epsilon"], "e"),
        node("Sqrt", ["e"], "s"),
        node("Div", ["one", "s"], "r"),
        node("Mul", ["x", "r"], "y"),
    ]
    constants = {"axes": np.array([1]), "epsilon": np.array(1e-5, np.float32), "one": np.array(1, np.float32)}
    return save_graph(path, nodes, {"x": SHAPE}, ["y"], constants)


def unit_length(path):
    """x / |x|"""
    nodes = [node("ReduceL2", ["x", "axes"], "n"), node("Div", ["x", "n"], "y")]
    return save_graph(path, nodes, {"x": SHAPE}, ["y"], {"axes": np.array([1])})


def plain_square(path):
    """A square that divides nothing, and a mean of no squares."""
    nodes = [
        node("Mul", ["x", "x"], "q"),
        node("ReduceMean", ["x"], "m"),
        node("Add", ["q", "m"], "y"),
    ]
    return save_graph(path, nodes, {"x": SHAPE}, ["y"], {})


CASES = {power_mean: 3, root_mean_square: 6, unit_length: 2, plain_square: 0}


@pytest.mark.parametrize("build", CASES)
def test_divisions_by_a_mean_of_squares_are_found(tmp_path, build):
    graph = Graph(onnx.load(str(build(tmp_path / "model.onnx"))))
    assert len(square_norms(graph, frozenset())) == CASES[build]


def test_one_that_is_left_in_float_is_left_alone(tmp_path):
    graph = Graph(onnx.load(str(power_mean(tmp_path / "model.onnx"))))
    assert square_norms(graph, frozenset({"pow_q"})) == ()


@pytest.mark.parametrize("build", [power_mean, root_mean_square])
def test_an_input_of_low_contrast_is_right_in_8_bits(tmp_path, pool, build):
    model = build(tmp_path / "model.onnx")
    (tmp_path / "samples").mkdir()
    draw = np.random.default_rng(2)
    # Contrasts from full down to a tenth, as photographs and pages have them.
    for number, contrast in enumerate([1.0, 0.7, 0.4, 0.2, 0.1, 0.1]):
        array = (contrast * draw.standard_normal(SHAPE)).astype(np.float32)
        write_npz(tmp_path / "samples" / f"{number:04d}.npz", {"x": array})
    faint = (0.1 * draw.standard_normal(SHAPE)).astype(np.float32)
    write_npz(tmp_path / "faint.npz", {"x": faint})
    result = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), range_method="minmax"))
    assert any("mean of squares" in note for note in result.notes)
    assert result.encodings["q"].dtype == "uint16"
    reference = run_cpu(model, {"x": faint})
    assert distance(reference, on_simulator(pool, result.model, tmp_path / "faint.npz")) > 18
