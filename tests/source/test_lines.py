"""Lines and columns of source text are those of Python's compiler."""

from __future__ import annotations

import ast

import pytest

from aipc.source import code_points_before, line_starts, newline_of, split_lines

NOT_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
TEXTS = ["", "a", "a\n", "a\nb", "a\r\nb\r\n", "a\rb", "\n", "\r\n\r\n", f"a{NOT_ENDS}b\nc", "ä😀\r\n\f\u2028x"]


@pytest.mark.parametrize("text", TEXTS)
def test_lines_end_where_python_ends_them(text, tmp_path):
    path = tmp_path / "text"
    path.write_bytes(text.encode())
    with path.open(encoding="utf-8") as stream:
        assert split_lines(text) == tuple(line.removesuffix("\n") for line in stream)
    assert "".join(split_lines(text, keepends=True)) == text
    starts = line_starts(text)
    assert all(text[start:].startswith(line) for start, line in zip(starts, split_lines(text), strict=False))
    assert len(starts) - len(split_lines(text)) in {0, 1}


@pytest.mark.parametrize("separator", [*NOT_ENDS, "ä", "😀"])
def test_the_compilers_columns_are_found(separator):
    line = f'x = "{separator}", call(1)'
    (call,) = (node for node in ast.walk(ast.parse(f"\f\n{line}\n")) if isinstance(node, ast.Call))
    lines = split_lines(f"\f\n{line}\n")
    line = lines[call.lineno - 1]
    first, last = (code_points_before(line, offset) for offset in (call.col_offset, call.end_col_offset))
    assert line[first:last] == "call(1)"


def test_a_text_says_how_its_lines_end():
    assert [newline_of(text) for text in ("a\r\nb\n", "a\rb", "a\nb\r\n", "a\x0c")] == ["\r\n", "\r", "\n", "\n"]
