"""From figures by node to the author's lines."""

from __future__ import annotations

from aipc.core.accuracy import NodeAccuracy, NodeError
from aipc.core.provenance import Provenance
from aipc.core.types import Frame, Origin, Position, Range, Severity, SourceMap
from aipc.pipeline.attribution import culprit_findings, located

KINDS = {"conv": "Conv", "relu": "Relu", "pool": "MaxPool"}


def origin(line: int, module: str) -> Origin:
    place = Range("/src/model.py", Position(line, 8), Position(line, 20))
    return Origin((Frame(place, "Model.forward", False),), module)


SOURCES = SourceMap({"conv": (origin(4, "conv"),), "relu": (origin(5, ""),), "pool": (origin(6, ""),)})


def error(share: float, group: tuple[str, ...], spread: float | None = None) -> NodeError:
    return NodeError(30, None, 1.0, 31, 40, 12, share, group, spread, 3)


def test_a_fused_group_is_told_at_the_line_of_the_node_with_weights() -> None:
    found = located(NodeAccuracy({"relu": error(0.9, ("conv", "relu"))}), SOURCES, KINDS)
    told = found.nodes["relu"]
    assert (told.op_type, told.line, told.module) == ("Conv", 4, "conv")


def test_rewritten_nodes_are_told_as_the_captured_ones() -> None:
    kinds = {"new_a": "Mul", "new_b": "Conv"}
    derived = Provenance({"new_a": ("pool",), "new_b": ("pool",)})
    before = NodeAccuracy({"new_a": error(0.1, ("new_a",)), "new_b": error(0.5, ("new_b",))}, unread=("new_c",))
    found = located(before, SOURCES, kinds, derived)
    assert set(found.nodes) == {"pool"}
    assert (found.nodes["pool"].share, found.nodes["pool"].group, found.nodes["pool"].line) == (0.5, ("pool",), 6)
    assert found.unread == ("new_c",)


def test_findings_name_the_culprits_only_and_an_outlier_channel_by_its_number() -> None:
    nodes = {"relu": error(0.9, ("conv", "relu"), 64.0), "pool": error(0.05, ("pool",))}
    (finding,) = culprit_findings(located(NodeAccuracy(nodes), SOURCES, KINDS), SOURCES, "w8a8", bits=8, kinds=KINDS)
    assert (finding.rule, finding.severity) == ("quantization-error", Severity.WARNING)
    assert finding.range.start.line == 4
    assert finding.nodes == ("conv", "relu")
    assert "Conv introduces 90 % of the model's error in w8a8" in finding.message
    assert "Channel 3 of its output reaches 64 times" in finding.message
    assert "leaves that one 4 of 256 steps" in finding.message


def test_at_16_bits_an_outlier_channel_is_no_explanation() -> None:
    nodes = {"relu": error(0.9, ("conv", "relu"), 64.0)}
    (finding,) = culprit_findings(NodeAccuracy(nodes), SOURCES, "w8a16", bits=16, kinds=KINDS)
    assert "Channel" not in finding.message
