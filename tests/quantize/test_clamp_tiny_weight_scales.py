"""Channels with next to no weights: what the NPU makes of them, and that a larger scale cures it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize import prepare_graph
from aipc.quantize.passes.round_weights import channel_encodings, weight_type
from aipc.quantize.plan import plan_for

from .graphs import distance, on_simulator, quantized, random_samples, save_graph, without_measures

CHANNELS, FAINT = 16, 4


def faint(path: Path, op: str) -> tuple[Path, dict[str, list[int]]]:
    """A layer of which four outputs have weights of a ten-millionth."""
    draw = np.random.default_rng(1)
    size = np.where(np.arange(CHANNELS) < FAINT, 1e-7, 0.1).astype(np.float32)
    weight = draw.standard_normal((CHANNELS, 32)).astype(np.float32) * size[:, None]
    # With a bias of their own onnxruntime's quantizer gives them a larger scale: int32 does not hold it otherwise.
    bias = np.where(np.arange(CHANNELS) < FAINT, 0.0, 0.5).astype(np.float32)
    shape = [1, 32, 12, 12] if op.startswith("Conv") else [20, 32]
    if op == "Conv":
        weight = weight[:, :, None, None]
    elif op == "ConvTranspose":
        weight = np.ascontiguousarray(weight.T)[:, :, None, None]
    elif op == "MatMul":
        weight = np.ascontiguousarray(weight.T)
    attributes = {"transB": 1} if op == "Gemm" else {}
    if op == "MatMul":
        nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], "layer")]
        return save_graph(path, nodes, {"x": shape}, ["y"], {"w": weight}), {"x": shape}
    nodes = [helper.make_node(op, ["x", "w", "b"], ["y"], "layer", **attributes)]
    return save_graph(path, nodes, {"x": shape}, ["y"], {"w": weight, "b": bias}), {"x": shape}


@pytest.mark.parametrize(
    ("op", "soc"),
    [
        ("Conv", "sm8650"),
        ("Conv", "qcs6490"),
        ("ConvTranspose", "sm8650"),
        ("Gemm", "sm8650"),
        ("MatMul", "sm8650"),
    ],
)
@pytest.mark.parametrize("adjust", [True, False])
def test_a_channel_with_next_to_no_weights_is_what_it_is_in_float(tmp_path, pool, op, soc, adjust):
    model, inputs = faint(tmp_path / "model.onnx", op)
    samples = random_samples(tmp_path / "samples", inputs)
    reference = run_cpu(model, read_npz(samples[0]))
    result = quantized(model, tmp_path / "samples", replace(plan_for("w8a16"), adjust_weights=adjust), soc)
    assert any("4 channels with next to no weights" in note for note in result.notes), result.notes
    assert distance(reference, on_simulator(pool, result.model, samples[0], soc)) > 35


def test_without_the_larger_scale_the_npu_gives_another_value(tmp_path, pool):
    """When this ends, the measure can go."""
    model, inputs = faint(tmp_path / "model.onnx", "Conv")
    samples = random_samples(tmp_path / "samples", inputs)
    reference = run_cpu(model, read_npz(samples[0]))
    plan = replace(plan_for("w8a16"), adjust_weights=False)
    quantized(model, tmp_path / "samples", plan)
    weight = onnx.numpy_helper.to_array(onnx.load(str(model)).graph.initializer[0])
    scales = np.abs(weight).reshape(CHANNELS, -1).max(1) / 127
    plain = without_measures(model, plan, {"w": channel_encodings(scales, weight_type(plan), 0)})
    assert distance(reference, on_simulator(pool, plain, samples[0])) < 15


def test_the_smallest_scale_goes_by_the_steps_of_input_and_output(tmp_path):
    model, _ = faint(tmp_path / "model.onnx", "Conv")
    plan = replace(plan_for("w8a16"), adjust_weights=False)
    prepared = prepare_graph.prepare(onnx.load(str(model)), plan, {"x": (-4.0, 4.0), "y": (-2.0, 0.0)}, {})
    scales = [float(item["scale"]) for item in prepared.overrides["w"]]
    assert scales[:FAINT] == pytest.approx([2.0**-22 / 4] * FAINT), "the step of y is a quarter of that of x"


def test_channels_with_weights_keep_their_scales(tmp_path):
    model, inputs = faint(tmp_path / "model.onnx", "Conv")
    source = onnx.load(str(model))
    ranges = {"x": (-4.0, 4.0), "y": (-4.0, 4.0)}
    assert inputs == {"x": [1, 32, 12, 12]}
    prepared = prepare_graph.prepare(source, replace(plan_for("w8a16"), adjust_weights=False), ranges, {})
    scales = [float(item["scale"]) for item in prepared.overrides["w"]]
    weight = onnx.numpy_helper.to_array(source.graph.initializer[0])
    own = np.abs(weight).reshape(CHANNELS, -1).max(1) / 127
    assert scales[FAINT:] == pytest.approx(own[FAINT:])
    # In 16 bits x and y have one scale: what the NPU multiplies by is the scale of the weights itself.
    assert scales[:FAINT] == pytest.approx([2.0**-22] * FAINT)
    assert all(scale > 100 * value for scale, value in zip(scales[:FAINT], own[:FAINT], strict=True))
