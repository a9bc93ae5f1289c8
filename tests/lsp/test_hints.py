"""Hints of a line name their models where several ran it, and shares of one error add up to the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aipc.core.accuracy import NodeAccuracy, NodeError
from aipc.core.types import CheckReport, NodePlacement, Placement, Position, Range
from aipc.lsp.check_state import CheckState, Place, with_accuracy
from aipc.lsp.features.inlay_hints import joined_labels, share_of

FUSED = NodeError(20.0, introduced_sqnr_db=25.0, effect_sqnr_db=20.0, share=0.86, group=("conv", "relu"))
ALONE = NodeError(30.0, introduced_sqnr_db=30.0, effect_sqnr_db=28.0, share=0.14, group=("add",))


def state(names: tuple[str, ...]) -> CheckState:
    """One node a line, in the order of ``names``."""
    kinds = {"conv": "Conv", "relu": "Relu", "add": "Add"}
    nodes = tuple(NodePlacement(name, kinds[name], Placement.NPU) for name in names)
    places = [
        Place(Range("model.py", Position(line, 0), Position(line, 4)), node) for line, node in enumerate(nodes, 1)
    ]
    report = CheckReport("Net", "sm8650", "w8a8", "2.51", len(nodes), {}, (), {}, node_placements=nodes)
    return CheckState("Net", report, {}, {"model.py": places})


@pytest.mark.parametrize("names", [("conv", "relu", "add"), ("relu", "conv", "add", "conv"), ("relu", "add")])
def test_shares_of_all_lines_are_parts_of_one_whole(names):
    accuracy = NodeAccuracy({"relu": FUSED, "add": ALONE})
    places = with_accuracy(state(names), accuracy).places["model.py"]
    shares = [share_of([place]) for place in places]
    assert sum(shares) == pytest.approx(1.0)
    holder = "conv" if "conv" in names else "relu"
    assert places[shares.index(0.86)].node.node == holder


def test_a_table_of_the_worst_nodes_has_each_fused_group_once():
    accuracy = NodeAccuracy({"conv": FUSED, "relu": FUSED, "add": ALONE, "mul": replace(ALONE, group=())})
    assert [name for name, _ in accuracy.worst()] == ["conv", "add", "mul"]


def test_a_line_that_several_models_ran_names_them_where_they_differ():
    assert joined_labels([("Net", "NPU", "a")]) == ("NPU", "a")
    assert joined_labels([("Net", "NPU", "a"), ("Other", "NPU", "b")]) == ("NPU", "Net\na\n\nOther\nb")
    hint, _ = joined_labels([("Net", "NPU", "a"), ("Other", "CPU 1/3", "b")])
    assert hint == "Net: NPU | Other: CPU 1/3"
