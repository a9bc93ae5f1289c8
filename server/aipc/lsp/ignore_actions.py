"""Hide a finding here, by a comment on its line that ``aipc check`` and the lint respect."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from aipc.core.types import Position, Range
from aipc.source.ignores import with_ignore

from .quick_fixes import workspace_edit
from .server import AipcServer


def ignore_actions(server: AipcServer, diagnostic: lsp.Diagnostic, path: str) -> Iterator[lsp.CodeAction]:
    """The action for one diagnostic of ours; none where the finding says that nothing could be checked."""
    rule = str(diagnostic.code or "")
    if not rule or rule == "cannot-check" or rule.startswith("capture-"):
        return
    lines = server.lines(path)
    place = Range(
        path, Position(diagnostic.range.start.line + 1, 0), Position(min(diagnostic.range.end.line + 1, len(lines)), 0)
    )
    added = with_ignore("\n".join(lines), place, rule)
    if added is None:
        return
    number, text = added
    line = Range(path, Position(number, 0), Position(number, len(lines[number - 1])))
    yield lsp.CodeAction(
        f"Ignore {rule} here",
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[diagnostic],
        edit=workspace_edit(server, path, lines, [(line, text)]),
    )
