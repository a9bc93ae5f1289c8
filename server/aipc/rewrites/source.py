"""Edits of the author's source: the smallest text that does it, found in the syntax tree of a call.

A rule's ``source_edit`` gets the call that made a node and answers with edits, or with None where the call's arguments
do not tell enough. Everything outside the edited text, comments included, stays as it is. An edit is proved by
capturing the edited file, not by the rule's own proof.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from aipc.core.types import Finding, Fix, Position, Range

from .rule import Edit, all_rules


def fixes_of(finding: Finding, source: str, codes: Sequence[str]) -> tuple[Fix, ...]:
    """The edits that the rules ``codes`` propose for a finding in a file with the text ``source``."""
    call = call_at(source, finding.range) if finding.range else None
    if call is None:
        return ()
    found = []
    for rule in all_rules():
        if rule.code not in codes or rule.source_edit is None:
            continue
        edits = rule.source_edit(call, source, finding)
        if edits and parses(source, edits):
            found.append(Fix(rule.title, rule.code, edits=tuple(edits)))
    return tuple(found)


def call_at(source: str, place: Range) -> ast.Call | None:
    """The outermost call that the range covers."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    start, end = place.start, place.end
    best: ast.Call | None = None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        here = _range(node, source, place.file)
        inside = (here.start.line, here.start.column) >= (start.line, start.column)
        inside = inside and (here.end.line, here.end.column) <= (end.line, end.column)
        if inside and (best is None or _covers(node, best)):
            best = node
    return best


def _covers(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


def _range(node: ast.expr, source: str, file: str) -> Range:
    lines = source.splitlines()

    def position(line: int, offset: int) -> Position:
        # The syntax tree counts UTF-8 bytes, ranges count code points.
        text = lines[line - 1].encode()[:offset] if line <= len(lines) else b""
        return Position(line, len(text.decode("utf-8", "ignore")))

    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return Range(file, position(node.lineno, node.col_offset), position(end_line, end_column))


def replace(node: ast.expr, text: str, source: str, finding: Finding) -> Edit:
    """Replace the text of an expression."""
    assert finding.range is not None
    return _range(node, source, finding.range.file), text


def text_of(node: ast.expr, source: str) -> str:
    """The expression as it is written."""
    return ast.get_source_segment(source, node) or ast.unparse(node)


def operand(node: ast.expr, source: str) -> str:
    """The expression so that a method can be called on it."""
    text = text_of(node, source)
    simple = isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
    return text if simple else f"({text})"


def is_simple(node: ast.expr) -> bool:
    """Whether the expression may be written twice: a name or an attribute of one."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and is_simple(node.value))


def called(call: ast.Call) -> str:
    """The last name of what is called: ``pad`` for ``F.pad`` and ``torch.nn.functional.pad``."""
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """An argument by its position or its name."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None
    return call.args[position] if position < len(call.args) else None


def literal(node: ast.expr | None, default: Any = None) -> Any:
    """The value of a literal; ``default`` where the argument is left out, None where it is not a literal."""
    if node is None:
        return default
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError):
        return None


def torch_name(source: str, finding: Finding) -> tuple[str, list[Edit]]:
    """What PyTorch is called in a file, and the edit that imports it where it is not."""
    assert finding.range is not None
    tree = ast.parse(source)
    first = None
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "torch":
                    return alias.asname or "torch", []
        if first is None and isinstance(node, (ast.Import, ast.ImportFrom)) and _is_ordinary(node):
            first = node
    line = first.lineno if first is not None else _after_docstring(tree)
    place = Position(line, 0)
    return "torch", [(Range(finding.range.file, place, place), "import torch\n")]


def _is_ordinary(node: ast.Import | ast.ImportFrom) -> bool:
    return not (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _after_docstring(tree: ast.Module) -> int:
    line = 1
    for node in tree.body:
        string = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not string and not isinstance(node, ast.ImportFrom):
            break
        line = (node.end_lineno or node.lineno) + 1
    return line


def apply_edits(source: str, edits: Sequence[Edit]) -> str:
    """The text after all edits, none of which overlap."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(position: Position) -> int:
        return starts[min(position.line, len(starts)) - 1] + position.column

    for place, text in sorted(edits, key=lambda edit: (edit[0].start.line, edit[0].start.column), reverse=True):
        source = source[: offset(place.start)] + text + source[offset(place.end) :]
    return source


def parses(source: str, edits: Sequence[Edit]) -> bool:
    try:
        ast.parse(apply_edits(source, edits))
    except SyntaxError:
        return False
    return True
