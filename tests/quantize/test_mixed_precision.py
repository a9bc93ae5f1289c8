"""Keeping a layer higher: which tensors that makes 16 bits wide, and that it cures an outlier channel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.core.types import Event
from aipc.core.workers import WorkerPool
from aipc.debug.attribute import node_accuracy
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz, write_npz
from aipc.quantize.mixed_precision import higher_tensors
from aipc.quantize.plan import plan_for
from debug.test_attribute import chain
from qairt.models import node, noise, save
from qairt.quantized import quantize_static

from .graphs import distance, on_simulator, quantized, random_samples, save_graph


def test_a_layer_and_its_relu_are_kept_higher_together(tmp_path: Path) -> None:
    model = onnx.load(chain(tmp_path / "m.onnx")[0])
    for asked in (["conv1", "relu1"], ["relu1"], ["conv1"]):
        assert higher_tensors(model, asked) == ("c1", "r1")
    assert higher_tensors(model, []) == ()
    assert higher_tensors(model, ["relu3"]) == ("c3", "r3")


def test_a_tensor_that_several_nodes_read_is_stored_and_no_part_of_a_fused_operator(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["c"], "conv"),
        node("Relu", ["c"], ["r"], "relu"),
        node("Add", ["c", "r"], ["y"], "add"),
    ]
    path = save(tmp_path / "m.onnx", nodes, {"x": noise(1, 2, 6, 6)}, ["y"], {"w": noise(2, 2, 3, 3)})
    assert higher_tensors(onnx.load(path), ["relu"]) == ("r",)
    assert higher_tensors(onnx.load(path), ["conv"]) == ("c",)


@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
def test_one_layer_kept_higher_cures_an_outlier_channel(tmp_path: Path, soc: str) -> None:
    path, inputs = chain(tmp_path / "m.onnx", outlier=300)
    npz = str(tmp_path / "inputs.npz")
    write_npz(npz, inputs)
    reached = {}
    for layers in ((), ("conv1", "relu1")):
        tensors = higher_tensors(onnx.load(path), layers)
        quantized = quantize_static(path, [inputs], tmp_path / "q.onnx", activations=8, higher=tensors)
        events: list[Event] = []
        found = node_accuracy(events.append, model=path, inputs_npz=npz, soc=soc, quantized=quantized)
        assert found.unchanged is True
        reached[len(layers)] = found.nodes["relu3"].sqnr_db
    assert reached[0] < 12
    assert reached[2] > 24


def test_a_layer_kept_higher_beside_a_layer_normalization_is_taken_by_qairt(tmp_path: Path, pool: WorkerPool) -> None:
    nodes = [
        helper.make_node("LayerNormalization", ["x", "g", "b"], ["n"], "norm", axis=-1),
        helper.make_node("MatMul", ["n", "w"], ["m"], "layer"),
        helper.make_node("Add", ["m", "x"], ["y"], "residual"),
    ]
    constants = {"g": noise(16), "b": noise(16), "w": noise(16, 16)}
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 8, 16]}, ["y"], constants)
    samples = random_samples(tmp_path / "samples", {"x": [1, 8, 16]})
    reference = run_cpu(model, read_npz(samples[0]))
    reached = {}
    for higher in ((), ("residual",)):
        result = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), higher=higher))
        reached[higher] = distance(reference, on_simulator(pool, result.model, samples[0]))
    assert reached[("residual",)] > reached[()]


def test_what_is_rare_and_far_is_cut_off_at_8_bits_and_kept_at_16(tmp_path: Path) -> None:
    nodes = [node("Mul", ["x", "k"], ["m"], "scaled"), node("Add", ["m", "x"], ["y"], "sum")]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 1 << 16]}, ["y"], {"k": np.float32([1.5])})
    values = noise(1, 1 << 16)
    values[0, 7] = 20.0
    (tmp_path / "samples").mkdir()
    write_npz(str(tmp_path / "samples" / "0000.npz"), {"x": values})
    most = {}
    for higher in ((), ("scaled",)):
        made = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), higher=higher))
        encoding = made.encodings["m"]
        most[higher] = encoding.scale * (2 ** (16 if higher else 8) - 1 - encoding.zero_point)
    assert most[()] < 28
    assert most[("scaled",)] == pytest.approx(30, rel=0.03)


def test_a_hard_sigmoid_kept_higher_has_the_scale_that_qairt_stores_it_with(tmp_path: Path) -> None:
    nodes = [node("HardSigmoid", ["x"], ["h"], "gate"), node("Mul", ["h", "x"], ["y"], "gated")]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 64]}, ["y"], {})
    random_samples(tmp_path / "samples", {"x": [1, 64]})
    made = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), higher=("gate",)))
    assert (made.encodings["h"].dtype, made.encodings["h"].scale) == ("uint16", 2.0**-16)


@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
@pytest.mark.parametrize("higher", [("scaled", "divided"), ("layer",), ("joined", "divided")])
def test_constants_have_the_width_of_what_they_are_computed_with(
    tmp_path: Path, pool: WorkerPool, soc: str, higher: tuple[str, ...]
) -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["p"], "layer"),
        node("Add", ["p", "k"], ["a"], "biased"),
        node("Mul", ["a", "k"], ["m"], "scaled"),
        node("Concat", ["m", "more"], ["j"], "joined", axis=1),
        node("Div", ["j", "k"], ["y"], "divided"),
    ]
    constants = {"w": noise(8, 8), "k": abs(noise(8)) + 1, "more": noise(1, 2, 8)}
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 6, 8]}, ["y"], constants)
    samples = random_samples(tmp_path / "samples", {"x": [1, 6, 8]})
    made = quantized(model, tmp_path / "samples", replace(plan_for("w8a8"), higher=higher), soc)
    reference = run_cpu(model, read_npz(samples[0]))
    assert distance(reference, on_simulator(pool, made.model, samples[0], soc)) > 25
