"""What a check said stays with its expression while other lines change."""

from __future__ import annotations

from aipc.core.types import CheckReport, Finding, Fix, Position, Range, Severity
from aipc.lsp.check_state import CheckState, current_findings

FILE = "/src/model.py"
BEFORE = ("y = F.pad(", "    x,", '    mode="circular")', "return y")
PLACE = Range(FILE, Position(1, 4), Position(3, 20))


def found(after: tuple[str, ...]):
    fix = Fix("Wrap", "pad-mode", edits=((PLACE, "wrapped"),), proved=True)
    finding = Finding("pad-mode", Severity.WARNING, "circular", PLACE, fixes=(fix,))
    report = CheckReport("m", "sm8650", "fp16", "", 0, {}, (finding,), {})
    return current_findings(CheckState("m", report, {FILE: BEFORE}, {}), FILE, after)


def test_an_expression_of_several_lines_moves_as_a_whole():
    (moved,) = found(("import a", "import b", *BEFORE))
    assert moved.range == Range(FILE, Position(3, 4), Position(5, 20))
    assert moved.fixes[0].edits[0][0] == moved.range
    assert not moved.fixes[0].proved


def test_an_expression_whose_middle_or_last_line_has_changed_is_left_out():
    assert not found((BEFORE[0], "    z,", *BEFORE[2:]))
    assert not found((*BEFORE[:2], '    mode="reflect")', BEFORE[3]))
    assert not found((*BEFORE[:2], *BEFORE[3:]))


def test_the_same_text_has_the_same_places():
    (same,) = found(BEFORE)
    assert same.range == PLACE
    assert same.fixes[0].proved
