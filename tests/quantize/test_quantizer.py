"""Quantized graphs keep their node names, are taken whole by QAIRT, and compute what the float graph computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.debug import worker_jobs as debug_jobs
from aipc.graph.index import Graph
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz
from aipc.quantize.encodings import encodings_of
from aipc.quantize.passes.rewrite_silu import ROWS
from aipc.quantize.plan import plan_for
from aipc.quantize.prepare_graph import prepare

from .graphs import distance, on_simulator, quantized, random_samples, save_graph, without_measures

DRAW = np.random.default_rng(0)


def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
    return (DRAW.standard_normal(shape) * scale).astype(np.float32)


def silu(path, rows: int):
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1] * 4),
        helper.make_node("Sigmoid", ["c"], ["s"], "sigmoid"),
        helper.make_node("Mul", ["c", "s"], ["m"], "gate"),
        helper.make_node("Conv", ["m", "v"], ["y"], "last"),
    ]
    constants = {"w": normal(64, 32, 3, 3, scale=0.1), "b": normal(64), "v": normal(16, 64, 1, 1, scale=0.1)}
    return save_graph(path, nodes, {"x": [1, 32, rows, 20]}, ["y"], constants)


def test_the_silu_that_the_compiler_gets_wrong_is_predicted_and_right_in_its_other_form(tmp_path, pool):
    rows = 10
    assert rows in ROWS
    plan = replace(plan_for("w8a16"), adjust_weights=False)
    model = silu(tmp_path / "model.onnx", rows)
    samples = random_samples(tmp_path / "samples", {"x": [1, 32, rows, 20]})
    reference = run_cpu(model, read_npz(samples[0]))

    ours = quantized(model, tmp_path / "samples", plan)
    assert any("tanh" in note for note in ours.notes)
    on_cpu = distance(reference, run_cpu(ours.model, read_npz(samples[0]), optimize=False))
    assert distance(reference, on_simulator(pool, ours.model, samples[0])) > on_cpu - 3

    # Without the measure the same integers are computed wrongly: when that ends, the measure can go.
    plain = without_measures(model, plan)
    assert distance(reference, on_simulator(pool, plain, samples[0])) < on_cpu - 20


@pytest.mark.parametrize("higher", [("conv",), ("sigmoid",), ("conv", "sigmoid", "gate")])
def test_a_silu_with_layers_kept_at_16_bits_has_its_other_form_too(tmp_path, pool, higher):
    plan = replace(plan_for("w8a8"), higher=higher)
    model = silu(tmp_path / "model.onnx", 10)
    samples = random_samples(tmp_path / "samples", {"x": [1, 32, 10, 20]})
    reference = run_cpu(model, read_npz(samples[0]))
    ours = quantized(model, tmp_path / "samples", plan)
    on_cpu = distance(reference, run_cpu(ours.model, read_npz(samples[0]), optimize=False))
    assert distance(reference, on_simulator(pool, ours.model, samples[0])) > on_cpu - 3


@pytest.mark.parametrize("rows", [8, 13])
def test_a_silu_of_other_heights_stays_as_it_is(tmp_path, rows):
    model = silu(tmp_path / "model.onnx", rows)
    random_samples(tmp_path / "samples", {"x": [1, 32, rows, 20]}, 2)
    assert not any("tanh" in note for note in quantized(model, tmp_path / "samples", plan_for("w8a16")).notes)


def normalized(path, *, before: str):
    """A batch normalization behind a convolution of some kind, or behind an Add."""
    weight = normal(6, 4, 3, 3) if before != "ConvTranspose" else normal(4, 3, 3, 3)
    first = {
        "Conv": helper.make_node("Conv", ["x", "w"], ["c"], "first", pads=[1] * 4),
        "ConvTranspose": helper.make_node("ConvTranspose", ["x", "w"], ["c"], "first", group=2, pads=[1] * 4),
        "Add": helper.make_node("Add", ["x", "x"], ["c"], "first"),
    }[before]
    channels = 4 if before == "Add" else 6
    constants = {
        "w": weight,
        "g": normal(channels),
        "b": normal(channels),
        "m": normal(channels),
        "v": np.abs(normal(channels)) + 0.1,
    }
    nodes = [
        first,
        helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"], "norm"),
        helper.make_node("Relu", ["n"], ["y"], "relu"),
    ]
    return save_graph(path, nodes, {"x": [1, 4, 8, 8]}, ["y"], constants)


@pytest.mark.parametrize("before", ["Conv", "ConvTranspose", "Add"])
def test_batch_normalization_becomes_a_convolution_that_computes_the_same(tmp_path, before):
    model = normalized(tmp_path / "model.onnx", before=before)
    inputs = read_npz(random_samples(tmp_path / "samples", {"x": [1, 4, 8, 8]}, 1)[0])
    prepared = prepare(onnx.load(str(model)), plan_for("w8a16"), {}, {})
    assert not any(node.op_type == "BatchNormalization" for node in prepared.model.graph.node)
    onnx.save(prepared.model, str(tmp_path / "folded.onnx"))
    assert distance(run_cpu(model, inputs), run_cpu(tmp_path / "folded.onnx", inputs)) > 110


def test_every_node_of_the_quantized_graph_stands_for_nodes_of_the_float_graph(tmp_path):
    model = normalized(tmp_path / "model.onnx", before="Conv")
    random_samples(tmp_path / "samples", {"x": [1, 4, 8, 8]}, 3)
    result = quantized(model, tmp_path / "samples", plan_for("w8a8"))
    names = {node.name for node in onnx.load(str(model)).graph.node}
    made = {node.name for node in onnx.load(result.model).graph.node}
    assert set(result.derived) == made
    assert all(sources and set(sources) <= names for sources in result.derived.values())
    assert {name for sources in result.derived.values() for name in sources} == names, "none is lost"


def block(path, *, columns: int = 24):
    """LayerNormalization, two products with constant weights and a Gelu, as transformers have them."""
    nodes = [
        helper.make_node("LayerNormalization", ["x", "g", "b"], ["n"], "norm", axis=-1),
        helper.make_node("MatMul", ["n", "w"], ["p"], "product"),
        helper.make_node("Add", ["p", "c"], ["a"], "bias"),
        helper.make_node("Gelu", ["a"], ["u"], "gelu"),
        helper.make_node("MatMul", ["u", "v"], ["y"], "last"),
    ]
    # Columns of very different sizes: one encoding for all of them would lose the small ones.
    weight = normal(16, columns) * np.exp(normal(columns)).astype(np.float32)
    constants = {"g": normal(16) + 1, "b": normal(16), "w": weight, "c": normal(columns), "v": normal(columns, 16)}
    return save_graph(path, nodes, {"x": [1, 10, 16]}, ["y"], constants)


def test_a_gelu_and_a_normalization_that_are_spelled_out_are_fused_and_compute_the_same(tmp_path):
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["m"], "mean"),
        helper.make_node("Sub", ["x", "m"], ["d"], "difference"),
        helper.make_node("Pow", ["d", "two"], ["q"], "square"),
        helper.make_node("ReduceMean", ["q", "axes"], ["v"], "variance"),
        helper.make_node("Add", ["v", "epsilon"], ["e"], "offset"),
        helper.make_node("Sqrt", ["e"], ["s"], "root"),
        helper.make_node("Div", ["d", "s"], ["n"], "divided"),
        helper.make_node("Mul", ["n", "g"], ["w"], "scaled"),
        helper.make_node("Add", ["w", "b"], ["a"], "shifted"),
        helper.make_node("Div", ["a", "root2"], ["i"], "inner"),
        helper.make_node("Erf", ["i"], ["f"], "erf"),
        helper.make_node("Add", ["f", "one"], ["o"], "one_more"),
        helper.make_node("Mul", ["a", "o"], ["p"], "gated"),
        helper.make_node("Mul", ["p", "half"], ["y"], "halved"),
    ]
    numbers = {"two": 2.0, "epsilon": 1e-5, "root2": 2**0.5, "one": 1.0, "half": 0.5}
    constants = {name: np.array(value, np.float32) for name, value in numbers.items()}
    constants |= {"axes": np.array([-1]), "g": normal(16) + 1, "b": normal(16)}
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 10, 16]}, ["y"], constants)
    samples = random_samples(tmp_path / "samples", {"x": [1, 10, 16]}, 4)
    prepared = prepare(onnx.load(str(model)), plan_for("w8a16"), {}, {})
    assert [node.op_type for node in prepared.model.graph.node] == ["LayerNormalization", "Gelu"]
    onnx.save(prepared.model, str(tmp_path / "fused.onnx"))
    inputs = read_npz(samples[0])
    assert distance(run_cpu(model, inputs), run_cpu(tmp_path / "fused.onnx", inputs)) > 110
    told = [name for sources in prepared.derived.values() for name in sources]
    assert sorted(told) == sorted(node.name for node in nodes)


@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
def test_a_transformer_block_runs_whole_on_the_npu(tmp_path, pool, soc):
    model = block(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", {"x": [1, 10, 16]})
    result = quantized(model, tmp_path / "samples", plan_for("w8a16"), soc)
    assert distance(run_cpu(model, read_npz(samples[0])), on_simulator(pool, result.model, samples[0], soc)) > 35


def test_four_bit_weights_are_right_on_the_simulator(tmp_path, pool):
    model = block(tmp_path / "model.onnx")
    samples = random_samples(tmp_path / "samples", {"x": [1, 10, 16]}, 12)
    result = quantized(model, tmp_path / "samples", plan_for("w4a16"))
    reference = run_cpu(model, read_npz(samples[0]))
    on_cpu = distance(reference, run_cpu(result.model, read_npz(samples[0]), optimize=False))
    simulated = distance(reference, on_simulator(pool, result.model, samples[0]))
    assert simulated > 8, "not the silently wrong form, which has no relation to the reference"
    assert simulated > on_cpu - 3


def test_weights_rounded_together_lose_less_than_each_rounded_alone(tmp_path):
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], "conv", pads=[1] * 4)]
    model = save_graph(
        tmp_path / "model.onnx", nodes, {"x": [1, 8, 12, 12]}, ["y"], {"w": normal(16, 8, 3, 3), "b": normal(16)}
    )
    # Inputs that go together, as activations do: an error in one can be made up for by another.
    draw, mix = np.random.default_rng(1), np.random.default_rng(2).standard_normal((8, 3))
    paths = random_samples(tmp_path / "samples", {"x": [1, 8, 12, 12]}, 9)
    for path in paths:
        field = np.einsum("cs,syx->cyx", mix, np.cumsum(draw.standard_normal((3, 12, 12)), axis=1)) + 1
        np.savez(path, x=field[None].astype(np.float32))
    held_out = read_npz(paths.pop())
    (tmp_path / "samples" / "0008.npz").unlink()
    reference = run_cpu(model, held_out)

    def reached(adjust: bool) -> float:
        plan = replace(plan_for("w4a16"), adjust_weights=adjust)
        result = quantized(model, tmp_path / "samples", plan)
        return distance(reference, run_cpu(result.model, held_out, optimize=False))

    assert reached(True) > reached(False) + 3


def test_boxes_and_scores_in_one_output_keep_16_bits(tmp_path):
    nodes = [
        helper.make_node("Mul", ["x", "big"], ["boxes"], "pixels"),
        helper.make_node("Sigmoid", ["x"], ["scores"], "sigmoid"),
        helper.make_node("Concat", ["boxes", "scores"], ["y"], "join", axis=1),
    ]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 4, 10]}, ["y"], {"big": np.array([640.0], np.float32)})
    random_samples(tmp_path / "samples", {"x": [1, 4, 10]}, 3)
    result = quantized(model, tmp_path / "samples", plan_for("w8a8"))
    assert result.encodings["y"].dtype == "uint16"
    assert result.encodings["x"].dtype == "uint8"


def test_the_arithmetic_of_boxes_keeps_16_bits_up_to_the_layer_that_it_starts_from(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Sub", ["anchors", "c"], ["corner"], "corner"),
        helper.make_node("Mul", ["corner", "stride"], ["boxes"], "pixels"),
        helper.make_node("Sigmoid", ["c"], ["scores"], "sigmoid"),
        helper.make_node("Concat", ["boxes", "scores"], ["y"], "join", axis=1),
    ]
    constants = {
        "w": normal(4, 4, 1, 1),
        "anchors": np.linspace(0, 80, 64, dtype=np.float32).reshape(1, 1, 8, 8),
        "stride": np.array([8.0], np.float32),
    }
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 4, 8, 8]}, ["y"], constants)
    random_samples(tmp_path / "samples", {"x": [1, 4, 8, 8]}, 4)
    result = quantized(model, tmp_path / "samples", plan_for("w8a8"))
    assert result.encodings["corner"].dtype == result.encodings["boxes"].dtype == "uint16"
    assert result.encodings["c"].dtype == "uint8"


def test_replacing_nodes_keeps_order_and_origins(tmp_path):
    graph = Graph(onnx.load(str(silu(tmp_path / "model.onnx", 8))))
    old = [node for node in graph.model.graph.node if node.op_type in {"Sigmoid", "Mul"}]
    graph.replace(old, [helper.make_node("HardSwish", ["c"], ["m"], name="swish")])
    assert [node.name for node in graph.model.graph.node] == ["conv", "swish", "last"]
    assert graph.sources("swish") == ("sigmoid", "gate")


@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
def test_what_is_read_of_a_16_bit_hard_sigmoid_is_what_it_computes(tmp_path, pool, soc):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "layer"),
        helper.make_node("HardSigmoid", ["c"], ["s"], "gate", alpha=0.2, beta=0.5),
        helper.make_node("Mul", ["c", "s"], ["y"], "gated"),
    ]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 8, 6, 6]}, ["y"], {"w": normal(8, 8, 1, 1, scale=0.1)})
    samples = random_samples(tmp_path / "samples", {"x": [1, 8, 6, 6]})
    made = quantized(model, tmp_path / "samples", plan_for("w8a16"), soc)
    arguments = {"model": str(model), "inputs_npz": str(samples[0]), "soc": soc, "quantized": made.model}
    found = pool.run(debug_jobs.NODE_ACCURACY, arguments)
    assert found.unchanged
    assert found.nodes["gate"].introduced_sqnr_db > 60


@pytest.mark.parametrize("masked", [False, True])
def test_a_softmax_over_many_places_has_a_range_of_its_own_unless_a_mask_can_close_places(tmp_path, pool, masked):
    scores = [helper.make_node("Add", ["x", "mask"], ["s"], "scores")] if masked else []
    nodes = [*scores, helper.make_node("Softmax", ["s" if masked else "x"], ["y"], "softmax", axis=-1)]
    inputs = {"x": [1, 2, 1000], **({"mask": [1, 2, 1000]} if masked else {})}
    model = save_graph(tmp_path / "model.onnx", nodes, inputs, ["y"], {})
    samples = random_samples(tmp_path / "samples", inputs)
    reference = run_cpu(model, read_npz(samples[0]))
    ours = quantized(model, tmp_path / "samples", plan_for("w8a16"))
    scale = encodings_of(onnx.load(ours.model))["y"].scale
    assert (scale * 65535 == pytest.approx(1.0)) is masked
    assert (distance(reference, on_simulator(pool, ours.model, samples[0])) > 50) is not masked
