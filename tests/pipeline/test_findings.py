"""What QAIRT said of nodes becomes one finding for each expression and reason."""

from __future__ import annotations

from aipc.core.types import (
    Cut,
    Frame,
    NodePlacement,
    Origin,
    Placement,
    PlacementReport,
    Position,
    Range,
    Severity,
    SourceMap,
)
from aipc.pipeline.findings import placement_findings


def origin(line: int) -> Origin:
    place = Range("/src/model.py", Position(line, 8), Position(line, 20))
    return Origin((Frame(place, "Model.forward", False),), "")


def report(*nodes: NodePlacement, cuts: tuple[Cut, ...] = ()) -> PlacementReport:
    return PlacementReport("sm8650", 75, "fp16", "2.51", nodes, 1, cuts)


def test_two_expressions_that_are_refused_for_one_reason_are_two_findings() -> None:
    nodes = [NodePlacement(f"Det_{k}", "Det", Placement.CPU, "no operator") for k in range(3)]
    sources = SourceMap({"Det_0": (origin(7),), "Det_1": (origin(4),), "Det_2": (origin(7),)})
    found = placement_findings(report(*nodes), sources)
    assert [(item.range.start.line, item.nodes) for item in found] == [(4, ("Det_1",)), (7, ("Det_0", "Det_2"))]
    assert {item.severity for item in found} == {Severity.WARNING}


def test_two_reasons_at_one_expression_are_two_findings() -> None:
    nodes = (NodePlacement("a", "Det", Placement.CPU, "one"), NodePlacement("b", "TopK", Placement.FAILS, "another"))
    found = placement_findings(report(*nodes), SourceMap({"a": (origin(4),), "b": (origin(4),)}))
    assert {item.nodes for item in found} == {("a",), ("b",)}
    assert {item.severity for item in found} == {Severity.WARNING, Severity.ERROR}


def test_what_crosses_to_the_cpu_is_added_up_for_each_expression() -> None:
    nodes = [NodePlacement(f"Det_{k}", "Det", Placement.CPU, "no operator") for k in range(3)]
    sources = SourceMap({"Det_0": (origin(4),), "Det_1": (origin(4),), "Det_2": (origin(7),)})
    cuts = tuple(Cut(node=f"Det_{k}", bytes_crossing=10 + k) for k in range(3))
    found = placement_findings(report(*nodes, cuts=cuts), sources)
    assert [item.evidence["bytes_crossing"] for item in found] == [21, 12]
