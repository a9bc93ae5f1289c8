"""What QAIRT said of nodes becomes one finding for each expression and reason."""

from __future__ import annotations

import pytest

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
from aipc.debug.types import FirstDivergence, Localization
from aipc.numerics.types import NodeNumerics, Verdict
from aipc.pipeline.findings import count, findings_at, numerics_findings, placement_findings
from aipc.qairt.soc import get_soc

SOC = "sm8650"


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


def frame(line: int, *, library: bool = False, column: int = 8) -> Frame:
    file = "/site-packages/library.py" if library else "/src/model.py"
    return Frame(Range(file, Position(line, column), Position(line, 40)), f"function_{line}", library)


def localization(*nodes: NodeNumerics, divergence: FirstDivergence | None = None) -> Localization:
    return Localization(nodes, divergence, 1.0, 1)


def test_nodes_on_the_npu_make_no_finding_and_the_compiler_is_quoted() -> None:
    nodes = (
        NodePlacement("good", "Add", Placement.NPU, ""),
        NodePlacement("quoted", "Det", Placement.CPU, "no operator"),
        NodePlacement("silent", "TopK", Placement.CPU, ""),
    )
    found = {item.nodes[0]: item for item in placement_findings(report(*nodes), SourceMap())}
    assert set(found) == {"quoted", "silent"}
    assert found["quoted"].compiler == "no operator"
    assert "TopK was not selected" in str(found["silent"].compiler)


def test_a_finding_says_what_can_be_done_as_a_sentence_of_its_own() -> None:
    reasons = ("Einsum unsupported equation: abc,cd->abd", "something nobody knows")
    nodes = [NodePlacement(f"n{k}", "Einsum", Placement.CPU, reason) for k, reason in enumerate(reasons)]
    known, unknown = sorted(placement_findings(report(*nodes), SourceMap()), key=lambda item: item.nodes)
    assert known.rule == "einsum"
    assert known.message.endswith(". Write it with transpose, reshape and matmul.")
    assert unknown.message.endswith(".") and not unknown.message.endswith("..")


def test_what_no_fp16_chip_can_run_is_an_error_wherever_it_was_placed() -> None:
    node = NodePlacement("n", "Conv", Placement.CPU, "SocModel doesn't support FP16")
    (found,) = placement_findings(report(node), SourceMap())
    assert (found.rule, found.severity) == ("fp16-unsupported", Severity.ERROR)


@pytest.mark.parametrize(("partitions", "evidence"), [(0, None), (1, None), (2, 2), (3, 3)])
def test_several_partitions_are_evidence_and_one_is_not(partitions: int, evidence: int | None) -> None:
    node = NodePlacement("n", "Det", Placement.CPU, "no operator")
    (found,) = placement_findings(PlacementReport(SOC, 75, "fp16", "2.51", (node,), partitions, ()), SourceMap())
    assert found.evidence.get("npu_partitions") == evidence
    assert "bytes_crossing" not in found.evidence


def test_the_place_is_the_author_s_frame_and_the_library_s_only_without_one() -> None:
    own, library = frame(9), frame(3, library=True)
    sources = SourceMap(
        {
            "both": (Origin((library, own)),),
            "library": (Origin((library, frame(5, library=True))),),
            "merged": (Origin((library,)), Origin((own,))),
            "nowhere": (Origin(()),),
        }
    )
    for node, place in (("both", own.range), ("library", library.range), ("merged", own.range), ("nowhere", None)):
        (found,) = findings_at("r", Severity.WARNING, "m", [node], sources)
        assert found.range == place, node


def test_frames_beside_the_place_are_related_once_each_with_the_module() -> None:
    own, caller, library = frame(9), frame(20), frame(3, library=True)
    here = Origin((library, own, caller), "model.0")
    sources = SourceMap({"a": (here, here), "b": (here,)})
    (found,) = findings_at("r", Severity.WARNING, "m", ["a", "b"], sources)
    assert [(item.message, item.range) for item in found.related] == [
        ("in the library's function_3 of model.0", library.range),
        ("called from function_20 of model.0", caller.range),
    ]
    root = SourceMap({"a": (Origin((own, caller)),)})
    assert [item.message for item in findings_at("r", Severity.WARNING, "m", ["a"], root)[0].related] == [
        "called from function_20"
    ]


def test_at_most_twelve_related_places_are_named_the_innermost_first() -> None:
    frames = tuple(frame(line) for line in range(1, 20))
    (found,) = findings_at("r", Severity.WARNING, "m", ["a"], SourceMap({"a": (Origin(frames),)}))
    assert [item.range.start.line for item in found.related] == list(range(2, 14))


def test_findings_are_in_the_order_of_the_source_and_those_without_a_place_come_first() -> None:
    places = {"d": (9, 8), "c": (4, 12), "b": (4, 2), "e": (10, 0)}
    sources = SourceMap({name: (Origin((frame(line, column=column),)),) for name, (line, column) in places.items()})
    found = findings_at("r", Severity.INFORMATION, "m", ["e", "d", "c", "b", "a"], sources)
    assert [item.nodes for item in found] == [("a",), ("b",), ("c",), ("d",), ("e",)]
    assert {(item.rule, item.severity, item.message, item.compiler) for item in found} == {
        ("r", Severity.INFORMATION, "m", None)
    }


def test_wrong_numbers_are_one_warning_an_expression_and_operator_with_its_figures() -> None:
    sources = SourceMap({"a": (origin(4),), "b": (origin(4),), "c": (origin(4),), "d": (origin(7),)})
    wrong = [
        NodeNumerics("a", "Exp", Verdict.WRONG, sqnr_db=12.34, ideal_fp16_sqnr_db=66.0, expected=0.5, actual=0.25),
        NodeNumerics("b", "Exp", Verdict.WRONG, sqnr_db=20.0, max_abs=3.0, detail="seen in 3 of 4"),
        NodeNumerics("c", "Log", Verdict.WRONG),
        NodeNumerics("d", "Exp", Verdict.OK, sqnr_db=20.0, ideal_fp16_sqnr_db=20.0),
        NodeNumerics("d", "Exp", Verdict.CPU, sqnr_db=20.0, ideal_fp16_sqnr_db=20.0),
    ]
    first, second = sorted(numerics_findings(localization(*wrong), sources, SOC), key=lambda item: item.nodes)
    assert (first.nodes, second.nodes) == (("a", "b"), ("c",))
    assert {(item.rule, item.severity) for item in (first, second)} == {("wrong-numbers", Severity.WARNING)}
    assert get_soc(SOC).title in first.message
    figures = "12.3 dB SQNR where correctly rounded fp16 has 66.0 dB, for example 0.25 instead of 0.5"
    assert first.message.endswith(f"computes Exp here and gives other numbers than PyTorch: {figures}.")
    assert second.message.endswith(": see the report.")
    assert first.evidence == {"sqnr_db": 20.0, "max_abs": 3.0, "ideal_fp16_sqnr_db": None, "measured": "seen in 3 of 4"}


def test_figures_leave_out_what_was_not_measured() -> None:
    cases = (
        (NodeNumerics("a", "Exp", Verdict.WRONG, sqnr_db=12.0), ": 12.0 dB SQNR."),
        (NodeNumerics("a", "Exp", Verdict.WRONG, ideal_fp16_sqnr_db=60.0), ": see the report."),
        (NodeNumerics("a", "Exp", Verdict.WRONG, expected=1.0), ": see the report."),
        (NodeNumerics("a", "Exp", Verdict.WRONG, actual=1.0), ": see the report."),
        (NodeNumerics("a", "Exp", Verdict.WRONG, expected=0.0, actual=2.0), ": for example 2 instead of 0."),
    )
    for node, end in cases:
        (found,) = numerics_findings(localization(node), SourceMap(), SOC)
        assert found.message.endswith(end)


@pytest.mark.parametrize(
    ("verdict", "sqnr", "ideal", "coarse"),
    [
        (Verdict.ROUNDING, 39.9, 39.9, True),
        (Verdict.ROUNDING, 40.0, 39.9, False),
        (Verdict.ROUNDING, 39.9, 40.0, False),
        (Verdict.ROUNDING, None, 39.9, False),
        (Verdict.ROUNDING, 39.9, None, False),
        (Verdict.OK, 30.0, 30.0, False),
        (Verdict.UNKNOWN, 30.0, 30.0, False),
    ],
)
def test_fp16_is_too_coarse_where_its_own_rounding_is_below_40_db(
    verdict: Verdict, sqnr: float | None, ideal: float | None, coarse: bool
) -> None:
    node = NodeNumerics("a", "Exp", verdict, sqnr_db=sqnr, ideal_fp16_sqnr_db=ideal)
    found = numerics_findings(localization(node), SourceMap({"a": (origin(4),)}), SOC)
    assert [(item.rule, item.range.start.line) for item in found if item.range] == [("fp16-precision", 4)] * coarse
    assert all("only 39.9 dB SQNR against fp32" in item.message for item in found)


def test_coarse_nodes_are_one_finding_an_expression_and_operator() -> None:
    nodes = [
        NodeNumerics(name, op, Verdict.ROUNDING, sqnr_db=30.0, ideal_fp16_sqnr_db=31.0)
        for name, op in (("a", "Exp"), ("b", "Exp"), ("c", "Log"), ("d", "Exp"))
    ]
    sources = SourceMap({"a": (origin(4),), "b": (origin(4),), "c": (origin(4),), "d": (origin(7),)})
    found = numerics_findings(localization(*nodes), sources, SOC)
    assert sorted(item.nodes for item in found) == [("a", "b"), ("c",), ("d",)]


def test_the_first_divergence_is_shown_only_where_no_node_alone_is_wrong() -> None:
    sources = SourceMap({"a": (origin(4),), "b": (origin(7),)})
    divergence = FirstDivergence("b", "t", 21.0, 61.5, "", ("a", "b"))
    right = NodeNumerics("a", "Exp", Verdict.OK, sqnr_db=60.0, ideal_fp16_sqnr_db=60.0)
    (found,) = numerics_findings(localization(right, divergence=divergence), sources, SOC)
    assert (found.rule, found.severity, found.nodes) == ("diverges", Severity.WARNING, ("a", "b"))
    assert found.range == origin(7).frames[0].range
    assert "21.0 dB SQNR where correctly rounded fp16 has 61.5 dB" in found.message
    assert [item.range.start.line for item in found.related] == [4]

    alone = FirstDivergence("b", "t", 21.0, 61.5, "a", ())
    (found,) = numerics_findings(localization(right, divergence=alone), sources, SOC)
    assert found.nodes == ("b",)

    wrong = NodeNumerics("a", "Exp", Verdict.WRONG)
    rules = [item.rule for item in numerics_findings(localization(wrong, divergence=divergence), sources, SOC)]
    assert rules == ["wrong-numbers"]
    assert numerics_findings(localization(right), sources, SOC) == ()


def test_findings_are_counted_by_severity() -> None:
    one = findings_at("r", Severity.WARNING, "m", ["a"], SourceMap())
    other = findings_at("r", Severity.ERROR, "m", ["a"], SourceMap())
    assert count((*one, *other, *one)) == {"warning": 2, "error": 1}
