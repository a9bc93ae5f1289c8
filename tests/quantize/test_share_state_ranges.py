"""A cache that goes round keeps its integers: its input and its output have one encoding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize.plan import plan_for

from .graphs import distance, on_simulator, quantized, random_samples, save_graph

INPUTS = {"x": [1, 2, 1, 16], "past": [1, 2, 7, 16]}


def attention(path):
    """One step of attention with a cache of keys: what it gives back is what it takes, one step longer."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["key"], "key"),
        helper.make_node("Concat", ["past", "key"], ["present"], "cache", axis=2),
        helper.make_node("Transpose", ["present"], ["turned"], "turn", perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["x", "turned"], ["scores"], "scores"),
        helper.make_node("Softmax", ["scores"], ["y"], "softmax", axis=-1),
    ]
    weight = np.random.default_rng(3).standard_normal((16, 16)).astype(np.float32)
    return save_graph(path, nodes, INPUTS, ["y", "present"], {"w": weight})


@pytest.mark.parametrize("precision", ["w8a16", "w8a8"])
def test_the_cache_that_comes_out_has_the_encoding_of_the_one_that_goes_in(tmp_path, precision):
    model = attention(tmp_path / "model.onnx")
    random_samples(tmp_path / "samples", INPUTS, 8)
    result = quantized(model, tmp_path / "samples", plan_for(precision))
    given, returned = result.encodings["past"], result.encodings["present"]
    assert (given.scale, given.zero_point, given.dtype) == (returned.scale, returned.zero_point, returned.dtype)
    assert "past and present are one state each and share an encoding" in result.notes


def test_a_cache_as_integers_comes_back_unchanged_from_the_simulator(tmp_path, pool):
    model = attention(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", INPUTS, 8)
    plan = replace(plan_for("w8a16"), quantized_io=True)
    result = quantized(model, tmp_path / "samples", plan)
    assert {"past", "present"} <= set(result.integer_io)
    reals, integers = read_npz(samples[0]), {}
    for name, encoding in ((name, result.encodings[name]) for name in INPUTS):
        steps = np.round(reals[name] / encoding.scale) + encoding.zero_point
        integers[name] = np.clip(steps, 0, 65535).astype(np.uint16)
    np.savez(tmp_path / "integers.npz", **integers)
    given = on_simulator(pool, result.model, tmp_path / "integers.npz")
    assert np.array_equal(given["present"][:, :, :7], integers["past"])
    back = {name: _real(value, result.encodings[name]) for name, value in given.items()}
    assert distance(run_cpu(model, reals), back) > 30


def _real(integers: np.ndarray, encoding) -> np.ndarray:
    return ((integers.astype(np.float32) - encoding.zero_point) * encoding.scale).astype(np.float32)


def test_a_picture_that_is_no_state_keeps_its_own_range(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Reshape", ["c", "shape"], ["y"], "flat"),
    ]
    constants = {"w": 9 * np.ones((4, 4, 1, 1), np.float32), "shape": np.array([1, 256])}
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 4, 8, 8]}, ["y"], constants)
    random_samples(tmp_path / "samples", {"x": [1, 4, 8, 8]}, 3)
    result = quantized(model, tmp_path / "samples", plan_for("w8a16"))
    assert result.encodings["x"].scale < result.encodings["y"].scale / 4
    assert not any("state" in note for note in result.notes)


def test_what_a_concat_joins_is_exact_where_its_inputs_are(tmp_path):
    """A Reshape behind a Concat has the Concat's encoding: QAIRT takes no other."""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node("Concat", ["r", "x"], ["c"], "join", axis=1),
        helper.make_node("Reshape", ["c", "shape"], ["y"], "flat"),
    ]
    model = save_graph(
        tmp_path / "model.onnx", nodes, {"x": [1, 4, 8, 8]}, ["y"], {"shape": np.array([1, 512], np.int64)}
    )
    random_samples(tmp_path / "samples", {"x": [1, 4, 8, 8]}, 3)
    result = quantized(model, tmp_path / "samples", plan_for("w8a8"))
    proto = onnx.load(result.model)
    constants = {item.name: numpy_helper.to_array(item) for item in proto.graph.initializer}
    reshape = next(node for node in proto.graph.node if node.op_type == "Reshape")
    before = next(node for node in proto.graph.node if reshape.input[0] in node.output)
    after = next(node for node in proto.graph.node if reshape.output[0] in node.input)
    assert before.op_type == "DequantizeLinear" and after.op_type == "QuantizeLinear"
    assert np.array_equal(constants[before.input[1]], constants[after.input[1]])
    assert np.array_equal(constants[before.input[2]], constants[after.input[2]])
