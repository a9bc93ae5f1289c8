"""Exactly the marked expressions of the fixtures are found, and nothing else."""

from __future__ import annotations

import pytest

from aipc.core.workers import WorkerPool
from aipc.lint import lint

from .agreement import compare
from .marks import FIXTURES, marked, text_at

FILES = sorted(FIXTURES.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_marked_expressions_are_found(path, caplog):
    text = path.read_text("utf-8")
    found = {(item.range.start.line, item.rule, text_at(text, item.range)) for item in lint(text, str(path), "sm8650")}
    assert found == marked(text)
    assert not caplog.records


def test_every_finding_says_where_it_comes_from():
    text = (FIXTURES / "found.py").read_text("utf-8")
    for item in lint(text, "found.py", "sm8650"):
        assert item.evidence["tier"] == "text"
        assert item.range.file == "found.py"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_compiler_agrees(capsys):
    with WorkerPool() as pool:
        found = compare(FILES, pool)
    with capsys.disabled():
        print(f"\nfalse alarms: {len(found.false_alarms)}, found: {100 * found.share:.1f} % of {found.compiler}")
    assert not found.false_alarms
    assert found.share >= 0.9, found.missed


def test_a_comment_of_the_authors_hides_a_finding():
    text = (FIXTURES / "found.py").read_text("utf-8")
    first = lint(text, "found.py", "sm8650")[0]
    lines = text.split("\n")
    lines[first.range.end.line - 1] += f"  # aipc: ignore[{first.rule}]"
    left = lint("\n".join(lines), "found.py", "sm8650")
    assert [(item.rule, item.range) for item in left] == [
        (item.rule, item.range)
        for item in lint(text, "found.py", "sm8650")
        if (item.rule, item.range.end.line) != (first.rule, first.range.end.line)
    ]
