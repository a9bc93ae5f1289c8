"""Findings as diagnostics, pulled by the client. Those whose line has changed since the check are left out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lsprotocol import types as lsp

from aipc.core.types import Finding, Severity

from ..positions import to_lsp_range
from ..results import current_findings
from ..server import AipcServer, to_path, to_uri

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFORMATION: lsp.DiagnosticSeverity.Information,
}


def register(server: AipcServer) -> None:
    options = lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="aipc")
    told: set[str] = set()

    @server.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, options)
    def pull(parameters: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        uri = parameters.text_document.uri
        lines = server.lines(str(to_path(uri)))
        result_id = _result_id(server, lines)
        if parameters.previous_result_id == result_id:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(result_id)
        return lsp.RelatedFullDocumentDiagnosticReport(
            diagnostics(server, str(to_path(uri)), lines), result_id=result_id
        )

    @server.feature(lsp.WORKSPACE_DIAGNOSTIC)
    def pull_all(parameters: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
        """Also for files that are not open; a file whose findings are gone is told so once more."""
        known = {item.uri: item.value for item in parameters.previous_result_ids}
        files = {
            finding.range.file for checked in server.results.values() for finding in checked.findings if finding.range
        }
        reports: list[lsp.WorkspaceDocumentDiagnosticReport] = []
        for file in sorted(files | told):
            uri, lines = to_uri(file), server.lines(file)
            result_id = _result_id(server, lines)
            if known.get(uri) == result_id:
                reports.append(lsp.WorkspaceUnchangedDocumentDiagnosticReport(uri, result_id))
            else:
                items = diagnostics(server, file, lines)
                reports.append(lsp.WorkspaceFullDocumentDiagnosticReport(uri, items, result_id=result_id))
        told.update(files)
        return lsp.WorkspaceDiagnosticReport(reports)


def _result_id(server: AipcServer, lines: Sequence[str]) -> str:
    stamp = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{server.generation}-{stamp}"


def diagnostics(server: AipcServer, path: str, lines: Sequence[str]) -> list[lsp.Diagnostic]:
    """The diagnostics of one file from all models; the same finding of two models is one."""
    found: dict[tuple[object, ...], lsp.Diagnostic] = {}
    for checked in server.results.values():
        for finding in current_findings(checked, path, lines):
            key = (finding.rule, finding.range, finding.message)
            found.setdefault(key, _diagnostic(server, finding, lines, checked.reference))
    return list(found.values())


def _diagnostic(server: AipcServer, finding: Finding, lines: Sequence[str], model: str) -> lsp.Diagnostic:
    assert finding.range
    words = f"\nQAIRT: {finding.compiler}" if finding.compiler else ""
    related = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(to_uri(item.range.file), to_lsp_range(item.range, server.lines(item.range.file))), item.message
        )
        for item in finding.related
    ]
    page = server.rule_page.replace("{rule}", finding.rule)
    return lsp.Diagnostic(
        range=to_lsp_range(finding.range, lines),
        message=f"{finding.message}{words}",
        severity=_SEVERITIES[finding.severity],
        code=finding.rule,
        code_description=lsp.CodeDescription(page) if page else None,
        source="aipc",
        related_information=related or None,
        data={"model": model, "nodes": list(finding.nodes)},
    )
