"""The fixes of findings as edits of the open text: those that are proved first, with what was proved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lsprotocol import types as lsp

from aipc.core.types import Finding, Fix, Range

from .check_state import CheckState, current_findings
from .server import AipcServer

FIX_ALL = f"{lsp.CodeActionKind.SourceFixAll.value}.aipc"


def fixes_of(server: AipcServer, diagnostic: lsp.Diagnostic, path: str) -> Iterator[lsp.CodeAction]:
    """The quick fixes of one diagnostic of ours."""
    lines = server.lines(path)
    data: Any = diagnostic.data or {}
    checked = server.results.get(data.get("model", ""))
    if checked is None:
        return
    for finding in current_findings(checked, path, lines):
        if finding.range is None or finding.rule != diagnostic.code or list(finding.nodes) != data.get("nodes"):
            continue
        if server.to_range(finding.range, lines).start.line != diagnostic.range.start.line:
            continue
        for fix in finding.fixes:
            if fix.edits:
                yield _action(server, path, lines, fix, _titled(fix), diagnostic)


def fixes_together(server: AipcServer, path: str, range: lsp.Range) -> Iterator[lsp.CodeAction]:
    """Several fixes as one edit: of the class around a place, and of the whole file."""
    lines = server.lines(path)
    for checked in server.results.values():
        if checked.is_stale(path, lines):
            continue
        for item in checked.together:
            if item.file != path or (item.scope and not _touches(checked, item.scope, path, range, lines)):
                continue
            where = f"in {item.scope}" if item.scope else "in this file"
            title = f"Fix all {item.count} {where} ({_proof(item.fix)})"
            yield _action(server, path, lines, item.fix, title)
            if not item.scope:
                yield _action(server, path, lines, item.fix, title, kind=FIX_ALL)


def _touches(checked: CheckState, scope: str, path: str, range: lsp.Range, lines: Sequence[str]) -> bool:
    """Whether the range lies in the class: from its line on, up to the next line that is not indented."""
    first = next((i for i, line in enumerate(lines) if line.startswith((f"class {scope}(", f"class {scope}:"))), None)
    if first is None or range.start.line < first:
        return False
    return not any(line and not line[0].isspace() and line[0] not in "#)" for line in lines[first + 1 : range.end.line])


def _titled(fix: Fix) -> str:
    return f"{fix.title} ({_proof(fix) if fix.proved else 'not proved for this text yet'})"


def _proof(fix: Fix) -> str:
    return f"proved: {fix.proof}"


def _action(
    server: AipcServer,
    path: str,
    lines: Sequence[str],
    fix: Fix,
    title: str,
    diagnostic: lsp.Diagnostic | None = None,
    kind: str | None = None,
) -> lsp.CodeAction:
    return lsp.CodeAction(
        title,
        kind=kind or lsp.CodeActionKind.QuickFix,
        diagnostics=[diagnostic] if diagnostic else None,
        is_preferred=(fix.proved and diagnostic is not None) or None,
        edit=workspace_edit(server, path, lines, fix.edits),
    )


def workspace_edit(
    server: AipcServer, path: str, lines: Sequence[str], edits: Sequence[tuple[Range, str]]
) -> lsp.WorkspaceEdit:
    """For the very version of the text that the edits were made for, so that a later one refuses them."""
    uri = server.documents.uri_of(path)
    changes = [lsp.TextEdit(server.to_range(place, lines), text) for place, text in edits]
    workspace = server.client_capabilities.workspace
    if not (workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes):
        return lsp.WorkspaceEdit(changes={uri: changes})
    version = server.documents.get_text_document(uri).version
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri, version)
    return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(document, changes)])


def fix_lines(finding: Finding) -> list[str]:
    """What can be done about a finding, as Markdown list items: its fixes, then what the author can choose between."""
    lines = []
    for fix in finding.fixes:
        doing = "Quick fix" if fix.edits else "Deploy"
        proof = f" ({_proof(fix)})" if fix.proof else ""
        lines.append(f"- {doing}: {fix.title}{proof}")
    for choice in finding.evidence.get("choices", ()):
        lines.append(f"- No exact rewrite: {choice['reason']}. You can " + ", or ".join(choice["options"]) + ".")
    return lines
