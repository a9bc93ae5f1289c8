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
    options = lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="aipc")

    @server.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, options)
    def pull(parameters: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        uri = parameters.text_document.uri
        path = str(to_path(uri))
        document = server.workspace.get_text_document(uri)
        stamp = hashlib.sha256(document.source.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        result_id = f"{server.generation}-{stamp}"
        if parameters.previous_result_id == result_id:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(result_id)
        lines = document.source.splitlines()
        return lsp.RelatedFullDocumentDiagnosticReport(diagnostics(server, path, lines), result_id=result_id)


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
    return lsp.Diagnostic(
        range=to_lsp_range(finding.range, lines),
        message=f"{finding.message}{words}",
        severity=_SEVERITIES[finding.severity],
        code=finding.rule,
        source="aipc",
        related_information=related or None,
        data={"model": model, "nodes": list(finding.nodes)},
    )
