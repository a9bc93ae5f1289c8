"""Findings as diagnostics, pulled by the client. Those whose line has changed since the check are left out.

A document that is open also has what its text alone says, until a check has said it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types as lsp

from aipc.core.types import Finding, Severity
from aipc.core.wording import original_words
from aipc.lint import lint
from aipc.source import split_lines

from ..check_state import current_findings
from ..effective import soc_in_effect
from ..linting import is_linted, unchecked_findings
from ..notebooks import cell_findings, notebook_of
from ..server import AipcServer
from ..uris import uri_key

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFORMATION: lsp.DiagnosticSeverity.Information,
}


def register(server: AipcServer) -> None:
    options = lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="aipc")
    reported: set[str] = set()

    @server.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def pull(parameters: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        if notebook := notebook_of(parameters.text_document.uri):
            return await _cell(server, parameters.text_document.uri, notebook)
        path = server.file_of(parameters.text_document.uri)
        if path is None:
            return lsp.RelatedFullDocumentDiagnosticReport([])
        lines = server.lines(path)
        result_id = _result_id(server, path, lines)
        if parameters.previous_result_id == result_id:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(result_id)
        linted = await _linted(server, path, lines)
        return lsp.RelatedFullDocumentDiagnosticReport(diagnostics(server, path, lines, linted), result_id=result_id)

    @server.feature(lsp.WORKSPACE_DIAGNOSTIC)
    async def pull_all(parameters: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
        """Also for files that are not open; a file whose findings are gone is told so once more."""
        known = {uri_key(item.uri): item.value for item in parameters.previous_result_ids}
        files = {
            finding.range.file for checked in server.results.values() for finding in checked.findings if finding.range
        }
        reports: list[lsp.WorkspaceDocumentDiagnosticReport] = []
        for file in sorted(files | reported):
            uri, lines = server.documents.uri_of(file), server.lines(file)
            result_id = _result_id(server, file, lines)
            if known.get(uri_key(uri)) == result_id:
                reports.append(lsp.WorkspaceUnchangedDocumentDiagnosticReport(uri, result_id))
            else:
                items = diagnostics(server, file, lines, await _linted(server, file, lines))
                reports.append(lsp.WorkspaceFullDocumentDiagnosticReport(uri, items, result_id=result_id))
        reported.update(files)
        return lsp.WorkspaceDiagnosticReport(reports)


async def _cell(server: AipcServer, uri: str, notebook: Path) -> lsp.RelatedFullDocumentDiagnosticReport:
    lines = split_lines(server.documents.get_text_document(uri).source)
    findings = await cell_findings(server, uri, notebook)
    return lsp.RelatedFullDocumentDiagnosticReport([_diagnostic(server, finding, lines, "") for finding in findings])


def _result_id(server: AipcServer, path: str, lines: Sequence[str]) -> str:
    stamp = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    linted = soc_in_effect(server, Path(path)) if is_linted(server, path) else ""
    return f"{server.generation}-{stamp}-{linted}"


async def _linted(server: AipcServer, path: str, lines: Sequence[str]) -> tuple[Finding, ...]:
    """What the text alone says; a long text is read while other requests are answered."""
    soc = soc_in_effect(server, Path(path)) if is_linted(server, path) else ""
    return await server.beside(lint, "\n".join(lines), path, soc) if soc else ()


def diagnostics(
    server: AipcServer, path: str, lines: Sequence[str], linted: Sequence[Finding] = ()
) -> list[lsp.Diagnostic]:
    """The diagnostics of one file from all models and from its text; the same finding twice is one."""
    items: dict[tuple[object, ...], lsp.Diagnostic] = {}
    for checked in server.results.values():
        for finding in current_findings(checked, path, lines):
            key = (finding.rule, finding.range, finding.message)
            items.setdefault(key, _diagnostic(server, finding, lines, checked.reference))
    for finding in unchecked_findings(server, path, lines, linted):
        key = (finding.rule, finding.range, finding.message)
        items.setdefault(key, _diagnostic(server, finding, lines, ""))
    return list(items.values())


def _diagnostic(server: AipcServer, finding: Finding, lines: Sequence[str], model: str) -> lsp.Diagnostic:
    assert finding.range
    original = original_words(finding, one_line=False)
    related = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(
                server.documents.uri_of(item.range.file), server.to_range(item.range, server.lines(item.range.file))
            ),
            item.message,
        )
        for item in finding.related
    ]
    page = server.rule_page.replace("{rule}", finding.rule)
    return lsp.Diagnostic(
        range=server.to_range(finding.range, lines),
        message=f"{finding.message}\n{original}" if original else finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.rule,
        code_description=lsp.CodeDescription(page) if page else None,
        source="aipc",
        related_information=related or None,
        data={"model": model, "nodes": list(finding.nodes)},
    )
