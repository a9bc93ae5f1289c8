"""Constants of masks are limited only where a softmax alone reads them, and to what it cannot see."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from aipc.graph.index import Graph
from aipc.numerics.cpu import run_cpu
from aipc.quantize.passes.limit_mask_constants import limit_far_constants

from .graphs import save_graph

LOWEST = float(np.finfo(np.float32).min)


def node(kind: str, inputs: list[str], output: str) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], f"{kind.lower()}_{output}")


def masked(path, *, ends="Softmax", reads=()):
    """softmax(scores + hidden * finfo.min), the mask spread over the rows; ``reads``: further readers of the mask."""
    nodes = [
        node("Mul", ["hidden", "far"], "product"),
        node("Unsqueeze", ["product", "axis"], "mask"),
        node("Add", ["scores", "mask"], "sum"),
        node(ends, ["sum"], "y"),
        *reads,
    ]
    constants = {"far": np.array(LOWEST, np.float32), "axis": np.array([0], np.int64)}
    outputs = ["y", *(item.output[0] for item in reads)]
    return save_graph(path, nodes, {"scores": [4, 6], "hidden": [6]}, outputs, constants)


def ranges() -> dict[str, tuple[float, float]]:
    return {
        "scores": (-5.0, 4.0),
        "hidden": (0.0, 1.0),
        "product": (LOWEST, 0.0),
        "mask": (LOWEST, 0.0),
        "sum": (LOWEST, 4.0),
        "y": (0.0, 1.0),
    }


@pytest.mark.parametrize("bits", [8, 16])
def test_a_softmax_sees_no_difference_and_its_input_keeps_its_steps(tmp_path, bits):
    path = masked(tmp_path / "g.onnx")
    graph, known = Graph(onnx.load(path)), ranges()
    assert limit_far_constants(graph, known, frozenset(), bits) == 1
    assert known["scores"] == (-5.0, 4.0)
    assert -40 < known["sum"][0] < -15 and known["sum"][1] >= 4.0
    assert known["mask"][1] == 0.0 and known["mask"][0] > -30
    limited = tmp_path / "limited.onnx"
    onnx.save(graph.model, limited)
    # The extreme case: what is masked has the largest score, what is not the smallest.
    scores = np.full((4, 6), 5.0, np.float32)
    scores[:, 2] = -5.0
    hidden = np.ones(6, np.float32)
    hidden[2] = 0.0
    feeds = {"scores": scores, "hidden": hidden}
    before, after = (run_cpu(item, feeds)["y"] for item in (path, limited))
    assert np.abs(before - after).max() < 2.0**-bits


@pytest.mark.parametrize(
    "graph",
    [
        {"ends": "Relu"},
        {"reads": (node("Relu", ["mask"], "z"),)},
        {"reads": (node("Identity", ["sum"], "z"),)},
    ],
    ids=["no softmax", "the mask is read elsewhere", "the sum is an output"],
)
def test_a_constant_that_somebody_else_sees_stays(tmp_path, graph):
    built, known = Graph(onnx.load(masked(tmp_path / "g.onnx", **graph))), ranges()
    assert limit_far_constants(built, known, frozenset(), 16) == 0
    assert known == ranges()
    assert built.array("far") == np.float32(LOWEST)


def test_a_factor_beyond_one_is_no_mask(tmp_path):
    built, known = Graph(onnx.load(masked(tmp_path / "g.onnx"))), ranges() | {"hidden": (-1.0, 1.0)}
    assert limit_far_constants(built, known, frozenset(), 16) == 0
