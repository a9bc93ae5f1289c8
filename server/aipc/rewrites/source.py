"""Edits of the author's source: the smallest text that does it, found in the syntax tree of a call.

A rule's ``source_edit`` gets the call that made a node and answers with the text for it, or with None where the call
does not tell enough. Assignments before the statement and imports are added as the rule asked for them. Everything
outside the edited text stays as it is; comments within it move above the statement. An edit is proved by capturing the
edited file, not by the rule's own proof.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence

from aipc.core.types import Finding, Fix, Position, Range
from aipc.source import line_starts
from aipc.source.edits import Edit
from aipc.source.syntax import Syntax, parse

from .rule import Rule
from .rules import all_rules
from .site import NoEdit, Site


def fixes_of(finding: Finding, source: str, codes: Sequence[str]) -> tuple[Fix, ...]:
    """The edits that the rules ``codes`` propose for a finding in a file with the text ``source``."""
    syntax = parse(source)
    if syntax is None or finding.range is None:
        return ()
    calls = calls_at(syntax, finding.range)
    fixes = []
    for rule in all_rules():
        if rule.code not in codes or rule.source_edit is None:
            continue
        # Where the range is wider than a call, an edit is proposed only if there is one call that it can be about.
        proposed = [edits for call in calls if (edits := _edits(rule, call, syntax, finding.range.file))]
        if len(proposed) == 1:
            fixes.append(Fix(rule.title, rule.code, edits=tuple(proposed[0])))
    return tuple(fixes)


def calls_at(syntax: Syntax, place: Range) -> list[ast.Call]:
    """The call that the range is, or all calls within it."""
    inside = []
    for node in ast.walk(syntax.tree):
        # Positions within f-strings are not those of the file.
        if not isinstance(node, ast.Call) or syntax.enclosing(node, ast.JoinedStr):
            continue
        here = syntax.range_of(node, place.file)
        if here == place:
            return [node]
        if _key(place.start) <= _key(here.start) and _key(here.end) <= _key(place.end):
            inside.append(node)
    return inside


def _edits(rule: Rule, call: ast.Call, syntax: Syntax, file: str) -> list[Edit]:
    assert rule.source_edit is not None
    site = Site(call, syntax)
    try:
        text = rule.source_edit(site)
        if text is None:
            return []
        edits = [(syntax.range_of(call, file), site.in_place(text)), *_before(site, text, file)]
    except (NoEdit, SyntaxError):
        return []
    edits += [_import(module, syntax, file) for module in site.imports]
    return edits if parses(syntax.text, edits) else []


def _before(site: Site, text: str, file: str) -> list[Edit]:
    """Assignments, and the comments that the replaced text had, on lines of their own."""
    comments = [comment for comment in _comments(site.text(site.call)) if comment not in text]
    if not comments and not site.statements:
        return []
    statement, syntax = site.statement(), site.syntax
    indent = syntax.lines[statement.lineno - 1].encode()[: statement.col_offset].decode()
    place = Position(statement.lineno, 0)
    lines = "".join(f"{indent}{line}{syntax.newline}" for line in (*comments, *site.statements))
    return [(Range(file, place, place), lines)]


def _comments(text: str) -> Iterator[str]:
    lines = io.StringIO(f"({text})")
    return (item.string for item in tokenize.generate_tokens(lines.readline) if item.type == tokenize.COMMENT)


def _import(module: str, syntax: Syntax, file: str) -> Edit:
    """The import of a module, in the block of PyTorch's imports and in its order."""
    text = f"import {module} as F" if module == "torch.nn.functional" else f"import {module}"
    body = syntax.tree.body
    ordinary = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_future(node)]
    first = next((node for node in ordinary if _module(node).split(".")[0] == "torch"), None)
    if first is None:
        line = ordinary[0].lineno if ordinary else _after_docstring(syntax.tree)
    else:
        block = [first]
        for node in reversed(ordinary[: ordinary.index(first)]):
            if (node.end_lineno or 0) + 1 != block[0].lineno:
                break
            block.insert(0, node)
        for node in ordinary[ordinary.index(first) + 1 :]:
            if (block[-1].end_lineno or 0) + 1 != node.lineno:
                break
            block.append(node)
        later = [node.lineno for node in block if isinstance(node, ast.ImportFrom) or _module(node) > module]
        line = later[0] if later else (block[-1].end_lineno or 0) + 1
    place = Position(line, 0)
    return Range(file, place, place), text + syntax.newline


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _after_docstring(tree: ast.Module) -> int:
    line = 1
    for node in tree.body:
        string = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not string and not _is_future(node):
            break
        line = (node.end_lineno or node.lineno) + 1
    return line


def apply_edits(source: str, edits: Sequence[Edit]) -> str:
    """The text after all edits, none of which overlap."""
    starts = line_starts(source)

    def offset(position: Position) -> int:
        return starts[min(position.line, len(starts)) - 1] + position.column

    for place, text in sorted(edits, key=lambda edit: _key(edit[0].start), reverse=True):
        source = source[: offset(place.start)] + text + source[offset(place.end) :]
    return source


def _key(position: Position) -> tuple[int, int]:
    return position.line, position.column


def parses(source: str, edits: Sequence[Edit]) -> bool:
    try:
        ast.parse(apply_edits(source, edits))
    except SyntaxError:
        return False
    return True
