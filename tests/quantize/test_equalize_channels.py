"""Equalized channels compute the same, and an outlier among them no longer takes the steps of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize import jobs
from aipc.quantize.calibrate import tensor_statistics
from aipc.quantize.plan import plan_for
from aipc.quantize.prepare_graph import prepare

from .graphs import distance, on_simulator, quantized, random_samples, save_graph, silent

PLAN = replace(plan_for("w8a8"), equalize=True)


def normal(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def outlier(seed: int, *shape: int) -> np.ndarray:
    """Weights, of which the third output reaches 300 times as far as the others."""
    weight = normal(seed, *shape, scale=0.3)
    weight[2] *= 300
    return weight


def deaf(weight: np.ndarray, axis: int = 1) -> np.ndarray:
    """Weights that hardly listen to the third input."""
    np.moveaxis(weight, axis, 0)[2] /= 300
    return weight


def convolutions(path, *, between: str = "Relu", groups: int = 1):
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "first", pads=[1] * 4),
        helper.make_node(
            between, ["c"], ["r"], "between", **({"kernel_shape": [2, 2]} if between == "MaxPool" else {})
        ),
        helper.make_node("Conv", ["r", "v"], ["y"], "second", group=groups),
    ]
    second = normal(3, 8, 8 // groups, 3, 3, scale=0.2)
    second = deaf(second) if groups == 1 else deaf(second, 0)
    constants = {"w": outlier(1, 8, 3, 3, 3), "b": normal(2, 8), "v": second}
    return save_graph(path, nodes, {"x": [1, 3, 12, 12]}, ["y"], constants)


def products(path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"], "first"),
        helper.make_node("Add", ["p", "b"], ["a"], "bias"),
        helper.make_node("Relu", ["a"], ["r"], "between"),
        helper.make_node("MatMul", ["r", "v"], ["y"], "second"),
        helper.make_node("Gemm", ["x2", "u", "d"], ["g"], "third", transB=1),
        helper.make_node("Gemm", ["g", "t"], ["z"], "fourth"),
    ]
    constants = {
        "w": np.ascontiguousarray(outlier(1, 8, 6).T),
        "b": normal(2, 8),
        "v": deaf(normal(3, 8, 5), 0),
        "u": outlier(4, 8, 6),
        "d": normal(5, 8),
        "t": deaf(normal(6, 8, 5), 0),
    }
    return save_graph(path, nodes, {"x": [1, 4, 6], "x2": [4, 6]}, ["y", "z"], constants)


def residual(path):
    """What the first layer makes is added to something else too: no factor can move."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "first"),
        helper.make_node("Conv", ["c", "v"], ["d"], "second"),
        helper.make_node("Add", ["c", "d"], ["y"], "sum"),
    ]
    constants = {"w": outlier(1, 8, 3, 1, 1), "v": deaf(normal(3, 8, 8, 1, 1))}
    return save_graph(path, nodes, {"x": [1, 3, 12, 12]}, ["y"], constants)


def clipped(path):
    """A limit of 6 is one for all channels: divided, it would cut others off."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "first"),
        helper.make_node("Clip", ["c", "zero", "six"], ["r"], "between"),
        helper.make_node("Conv", ["r", "v"], ["y"], "second"),
    ]
    limits = {"zero": np.array(0, np.float32), "six": np.array(6, np.float32)}
    constants = {"w": outlier(1, 8, 3, 1, 1), "v": deaf(normal(3, 8, 8, 1, 1)), **limits}
    return save_graph(path, nodes, {"x": [1, 3, 12, 12]}, ["y"], constants)


CASES = {
    "relu": (convolutions, {"x": [1, 3, 12, 12]}, 1),
    "max-pool": (lambda path: convolutions(path, between="MaxPool"), {"x": [1, 3, 12, 12]}, 1),
    "depthwise": (lambda path: convolutions(path, groups=8), {"x": [1, 3, 12, 12]}, 1),
    "products": (products, {"x": [1, 4, 6], "x2": [4, 6]}, 2),
    "residual": (residual, {"x": [1, 3, 12, 12]}, 0),
    "clip": (clipped, {"x": [1, 3, 12, 12]}, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_equalized_layers_compute_the_same(tmp_path, name):
    build, inputs, pairs = CASES[name]
    model = build(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", inputs, 4)
    jobs.collect(silent, model=str(model), samples=str(tmp_path / "samples"), out=str(tmp_path / "statistics"))
    moments = tensor_statistics.load_moments(tmp_path / "statistics")
    plan = replace(PLAN, adjust_weights=False)
    prepared = prepare(onnx.load(str(model)), plan, {}, moments)
    assert prepared.notes[-1] == f"the channels between {pairs} pairs of layers are equalized"
    onnx.save(prepared.model, str(tmp_path / "equalized.onnx"))
    given = read_npz(samples[0])
    assert distance(run_cpu(model, given), run_cpu(tmp_path / "equalized.onnx", given)) > 100


@pytest.mark.parametrize("name", ["relu", "max-pool", "products"])
def test_an_outlier_channel_is_cured(tmp_path, name):
    build, inputs, _ = CASES[name]
    model = build(tmp_path / "model.onnx")
    held_out = read_npz(random_samples(tmp_path / "samples", inputs, 9)[-1])
    (tmp_path / "samples" / "0008.npz").unlink()
    reference = run_cpu(model, held_out)

    def reached(plan) -> float:
        return distance(
            reference, run_cpu(quantized(model, tmp_path / "samples", plan).model, held_out, optimize=False)
        )

    plain, equalized = reached(plan_for("w8a8")), reached(PLAN)
    assert plain < 20
    assert equalized > plain + 10


def test_the_simulator_agrees_that_the_outlier_is_gone(tmp_path, pool):
    model = convolutions(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", {"x": [1, 3, 12, 12]}, 6)
    result = quantized(model, tmp_path / "samples", PLAN)
    assert distance(run_cpu(model, read_npz(samples[0])), on_simulator(pool, result.model, samples[0])) > 28


def test_a_channel_that_reaches_far_below_zero_is_divided_too(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "first"),
        helper.make_node("Conv", ["c", "v"], ["y"], "second"),
    ]
    bias = np.zeros(8, np.float32)
    bias[2] = -100
    constants = {"w": normal(1, 8, 3, 1, 1), "b": bias, "v": normal(3, 8, 8, 1, 1)}
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 3, 12, 12]}, ["y"], constants)
    random_samples(tmp_path / "samples", {"x": [1, 3, 12, 12]}, 4)
    jobs.collect(silent, model=str(model), samples=str(tmp_path / "samples"), out=str(tmp_path / "statistics"))
    moments = tensor_statistics.load_moments(tmp_path / "statistics")
    prepared = prepare(onnx.load(str(model)), replace(PLAN, adjust_weights=False), {}, moments)
    before, after = (
        {item.name: onnx.numpy_helper.to_array(item) for item in graph.graph.initializer}
        for graph in (onnx.load(str(model)), prepared.model)
    )
    factors = np.abs(before["w"]).max((1, 2, 3)) / np.abs(after["w"]).max((1, 2, 3))
    assert factors.argmax() == 2
    assert factors[2] > 3 * np.delete(factors, 2).max()
