"""Graphs as other exporters write them: copies, and biases beside their convolution, are folded before quantizing."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.graph.opset import NEEDED, raise_opset
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize import jobs
from aipc.quantize.calibrate import tensor_statistics
from aipc.quantize.calibrate.moments import layers_of
from aipc.quantize.plan import plan_for
from aipc.quantize.prepare_graph import prepare

from .graphs import distance, on_simulator, quantized, random_samples, save_graph, silent

SHAPE = [1, 4, 9, 10]


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def spelled(path, *, kind: str = "Conv", opset: int = 20):
    """Convolution, bias and scale each a node of its own, with a copy after every one; then an old MaxPool."""
    groups = {"group": 2} if kind == "ConvTranspose" else {}
    weight = normal(1, 6, 4, 3, 3) if kind == "Conv" else normal(1, 4, 3, 3, 3)
    nodes = [
        helper.make_node(kind, ["x", "w"], ["c"], "conv", **groups),
        helper.make_node("Identity", ["c"], ["c2"], "copy1"),
        helper.make_node("Add", ["bias", "c2"], ["a"], "bias"),
        helper.make_node("Identity", ["a"], ["a2"], "copy2"),
        helper.make_node("Mul", ["a2", "scale"], ["s"], "scale"),
        helper.make_node("Relu", ["s"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
        helper.make_node("Conv", ["p", "v"], ["d"], "last", auto_pad="SAME_LOWER", strides=[2, 2]),
        helper.make_node("Identity", ["d"], ["y"], "copy3"),
    ]
    constants = {"w": weight, "bias": normal(2, 1, 6, 1, 1), "scale": normal(3, 6, 1, 1), "v": normal(4, 4, 6, 4, 4)}
    path = save_graph(path, nodes, {"x": SHAPE}, ["y"], constants)
    model = onnx.load(str(path))
    model.opset_import[0].version = opset
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_copies_and_constants_become_part_of_the_convolution_and_it_computes_the_same(tmp_path, kind):
    model = spelled(tmp_path / "model.onnx", kind=kind)
    inputs = read_npz(random_samples(tmp_path / "samples", {"x": SHAPE}, 1)[0])
    prepared = prepare(onnx.load(str(model)), plan_for("w8a16"), {}, {})
    assert [node.op_type for node in prepared.model.graph.node] == [kind, "Relu", "MaxPool", "Conv"]
    onnx.save(prepared.model, str(tmp_path / "folded.onnx"))
    assert distance(run_cpu(model, inputs), run_cpu(tmp_path / "folded.onnx", inputs)) > 110
    told = {name for node in prepared.model.graph.node for name in prepared.derived.get(node.name, (node.name,))}
    assert told == {node.name for node in onnx.load(str(model)).graph.node}, "none is lost"


def test_a_constant_that_is_more_than_one_value_a_channel_stays(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Add", ["c", "field"], ["y"], "add"),
    ]
    constants = {"w": normal(1, 6, 4, 1, 1), "field": normal(2, 1, 6, 9, 10)}
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": SHAPE}, ["y"], constants)
    prepared = prepare(onnx.load(str(model)), plan_for("w8a16"), {}, {})
    assert [node.op_type for node in prepared.model.graph.node] == ["Conv", "Add"]


def test_a_copy_from_an_input_to_an_output_stays(tmp_path):
    nodes = [helper.make_node("Identity", ["x"], ["z"], "copy"), helper.make_node("Relu", ["x"], ["y"], "relu")]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": SHAPE}, ["y", "z"], {})
    prepared = prepare(onnx.load(str(model)), plan_for("w8a16"), {}, {})
    assert {node.op_type for node in prepared.model.graph.node} == {"Identity", "Relu"}


@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
def test_a_graph_of_an_old_operator_set_runs_whole_on_the_npu_in_integers(tmp_path, pool, soc):
    model = spelled(tmp_path / "model.onnx", opset=11)
    samples = random_samples(tmp_path / "samples", {"x": SHAPE}, 6)
    assert raise_opset(onnx.load(str(model))).opset_import[0].version == NEEDED
    result = quantized(model, tmp_path / "samples", plan_for("w8a16"), soc)
    reference = run_cpu(model, read_npz(samples[0]))
    # On the simulator no node may be left on the CPU; a pool in float would be.
    assert distance(reference, on_simulator(pool, result.model, samples[0], soc)) > 35
    shapes = {value.name for value in onnx.load(result.model).graph.value_info}
    made = {name for node in onnx.load(result.model).graph.node for name in node.output}
    assert made <= shapes | {"y"}, "every tensor has its type, which finding refused nodes needs"


def test_convolutions_that_pad_by_themselves_are_rounded_against_what_they_see(tmp_path):
    model = spelled(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", {"x": SHAPE}, 2)
    (tmp_path / "samples" / "0001.npz").unlink()
    jobs.collect(silent, model=str(model), samples=str(tmp_path / "samples"), out=str(tmp_path / "statistics"))
    layer = next(item for item in layers_of(onnx.load(str(model))) if item.node == "last")
    seen = tensor_statistics.load_moments(tmp_path / "statistics")["last"]
    weight = normal(4, 4, 6, 4, 4).reshape(4, -1)
    outputs = run_cpu(model, read_npz(samples[0]))["y"][0].reshape(4, -1)
    assert layer.pads == () and layer.odd_first
    assert seen.count == outputs.shape[1]
    assert np.allclose(weight @ seen.first[0], outputs.sum(1), rtol=1e-4, atol=1e-3)
    energy = np.einsum("os,st,ot->o", weight, seen.second[0], weight)
    assert np.allclose(energy, np.square(outputs).sum(1), rtol=1e-4)


def test_open_shapes_are_filled_in_with_those_that_were_seen(tmp_path):
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node("Shape", ["r"], ["size"], "size"),
        helper.make_node("Reshape", ["r", "size"], ["s"], "same"),
        helper.make_node("Conv", ["s", "w"], ["y"], "conv"),
    ]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": SHAPE}, ["y"], {"w": normal(1, 6, 4, 1, 1)})
    proto = onnx.load(str(model))
    del proto.graph.value_info[:]
    onnx.save(proto, str(model))
    random_samples(tmp_path / "samples", {"x": SHAPE}, 2)
    quantized(model, tmp_path / "samples", plan_for("w8a16"))
    assert tensor_statistics.load_shapes(tmp_path / "statistics")["s"] == tuple(SHAPE)
