"""Which way to find ranges is taken: the one whose graph is nearest to fp32, not what is best tensor by tensor."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from aipc.numerics.npz import write_npz
from aipc.quantize.plan import QuantizationPlan
from aipc.quantize.range_search import CANDIDATES, best_ranges

from .graphs import quantized, save_graph, silent


def scaled(factor: float) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "k"], ["y"], "mul")],
        "graph",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 8])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 8])],
        [numpy_helper.from_array(np.array(factor, np.float32), "k")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def taken(tmp_path, factors: dict[str, float], probes: int = 2) -> tuple[str, str]:
    pairs = []
    for number in range(probes):
        array = np.random.default_rng(number).standard_normal((1, 8)).astype(np.float32)
        given, answer = tmp_path / f"{number}.npz", tmp_path / f"{number}.reference.npz"
        write_npz(given, {"x": array})
        write_npz(answer, {"y": array})
        pairs.append((given, answer))
    made, note = best_ranges(
        silent, lambda method: (method, scaled(factors.get(method, 0.5))), lambda item: item[1], pairs
    )
    return made[0], note


def test_the_nearest_to_fp32_is_taken_and_every_figure_is_told(tmp_path):
    method, note = taken(tmp_path, {"percentile": 0.99, "mse": 0.9})
    assert method == "percentile"
    assert "ranges by percentile, the nearest on 2 calibration samples" in note
    assert "percentile 40.0 dB" in note
    assert "mse 20.0 dB" in note


def test_a_difference_of_chance_changes_nothing(tmp_path):
    assert taken(tmp_path, {"mse": 0.9, "minmax": 0.901})[0] == "mse"


def test_a_single_sample_decides_nothing(tmp_path):
    assert taken(tmp_path, {"minmax": 1.0}, probes=1) == (CANDIDATES[0], "")


def test_outputs_that_hang_on_a_rare_far_value_keep_it(tmp_path):
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["m"], "double"),
        helper.make_node("MaxPool", ["m"], ["y"], "peak", kernel_shape=[16, 16]),
    ]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": [1, 4, 16, 16]}, ["y"], {"two": np.array(2, np.float32)})
    draw = np.random.default_rng(1)
    (tmp_path / "samples").mkdir()
    for number in range(8):
        array = draw.random((1, 4, 16, 16)).astype(np.float32)
        array[0, :, 3, 5] = draw.uniform(2, 4, 4)
        write_npz(tmp_path / "samples" / f"{number:04d}.npz", {"x": array})
    plan = QuantizationPlan(activation_bits=8, range_method="measured", adjust_weights=False)
    result = quantized(model, tmp_path / "samples", plan)
    assert any(note.startswith("ranges by ") and "mse" in note for note in result.notes)
    assert result.encodings["x"].scale * 255 > 3.5
