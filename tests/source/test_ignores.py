"""A comment on a line of an expression hides the findings that it names, and is written without changing the code."""

from __future__ import annotations

import ast

import pytest

from aipc.core.types import Finding, Position, Range, Severity
from aipc.source.ignores import ignore_comments, is_ignored, shown_findings, with_ignore


def place(first: int, last: int | None = None) -> Range:
    return Range("model.py", Position(first, 0), Position(last or first, 3))


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("y = f(x)  # aipc: ignore[einsum]", True),
        ("y = f(x)  #aipc:ignore[pad-mode, einsum]", True),
        ("y = f(x)  # noqa: E501  # aipc: ignore", True),
        ("y = f(x)  # aipc: ignore[]", False),
        ("y = f(x)  # aipc: ignore[pad-mode]", False),
        ("y = f(x)  # aipc: ignored", False),
        ("y = f(x)", False),
    ],
)
def test_a_comment_hides_the_rules_that_it_names_or_all(line, hidden):
    assert is_ignored("einsum", place(1), [line]) is hidden


def test_any_line_of_the_expression_may_have_the_comment_and_no_other():
    lines = ["# aipc: ignore", "y = f(", "    x,", ")  # aipc: ignore[rank]", "# aipc: ignore"]
    assert is_ignored("rank", place(2, 4), lines)
    assert not is_ignored("rank", place(2, 3), lines)
    assert not is_ignored("einsum", place(2, 4), lines)


def test_findings_of_other_files_and_rules_are_shown():
    lines = ["y = f(x)  # aipc: ignore[rank]"]
    kept = [
        Finding("einsum", Severity.WARNING, "It is slow.", place(1)),
        Finding("rank", Severity.WARNING, "It is slow.", Range("other.py", Position(1, 0), Position(1, 3))),
        Finding("rank", Severity.WARNING, "It is slow.", None),
    ]
    hidden = Finding("rank", Severity.WARNING, "It is slow.", place(1))
    assert shown_findings([*kept, hidden], lines, "model.py") == tuple(kept)


@pytest.mark.parametrize(
    ("text", "first", "last", "number", "line"),
    [
        ("y = f(x)\n", 1, 1, 1, "y = f(x)  # aipc: ignore[rank]"),
        ("y = f(x)  # why\n", 1, 1, 1, "y = f(x)  # why  # aipc: ignore[rank]"),
        ("y = f(x)  # aipc: ignore[einsum]\n", 1, 1, 1, "y = f(x)  # aipc: ignore[einsum, rank]"),
        ("y = f(\n    x)\n", 1, 2, 2, "    x)  # aipc: ignore[rank]"),
        # Nothing can stand behind a backslash, nor within a string.
        ("y = x \\\n    + 1\n", 1, 1, None, None),
        ('y = f(x), """a\nb"""\n', 1, 1, None, None),
        ('y = f(x, """a\nb""")\n', 1, 2, 2, 'b""")  # aipc: ignore[rank]'),
        ("y = f(x\n", 1, 1, 1, "y = f(x  # aipc: ignore[rank]"),
    ],
)
def test_the_comment_stands_where_it_changes_no_code(text, first, last, number, line):
    assert with_ignore(text, place(first, last), "rank") == ((number, line) if number else None)
    if number and "f(x\n" not in text:
        changed = text.split("\n")
        changed[number - 1] = line
        assert ast.dump(ast.parse("\n".join(changed))) == ast.dump(ast.parse(text))
        assert is_ignored("rank", place(first, last), changed)


def test_comments_are_compared_in_order():
    assert ignore_comments(["a = 1  # aipc: ignore[rank]", "b = 2", "# aipc: ignore"]) == (
        "# aipc: ignore[rank]",
        "# aipc: ignore",
    )
