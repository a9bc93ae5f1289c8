"""Where no rule has a proved fix, the agent may try: for one finding, and for all of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lsprotocol import types as lsp

from .server import AipcServer

_MATTERS = (lsp.DiagnosticSeverity.Error, lsp.DiagnosticSeverity.Warning)


def agent_actions(server: AipcServer, diagnostics: Sequence[lsp.Diagnostic], uri: str) -> Iterator[lsp.CodeAction]:
    """Actions for what a check found wrong and no proved fix solves. They start commands of the client."""
    if not server.offers_agent or not server.trusted:
        return
    models: dict[str, lsp.Diagnostic] = {}
    for diagnostic in diagnostics:
        data: Any = diagnostic.data or {}
        model = data.get("model")
        if not model or diagnostic.severity not in _MATTERS or _is_solved(server, diagnostic, data):
            continue
        models.setdefault(model, diagnostic)
        if data.get("nodes") or str(diagnostic.code).startswith("capture-"):
            title = "Let the agent rewrite this layer"
            argument = {
                "model": model,
                "uri": uri,
                "rule": diagnostic.code,
                "line": diagnostic.range.start.line + 1,
                "nodes": data.get("nodes", []),
            }
            yield _action(title, "aipc.agent.rewrite", argument, diagnostic)
    for model, diagnostic in models.items():
        title = "Let the agent make this model deployable"
        yield _action(title, "aipc.agent.deployable", {"model": model, "uri": uri}, diagnostic)


def _is_solved(server: AipcServer, diagnostic: lsp.Diagnostic, data: dict[str, Any]) -> bool:
    """Whether a proved fix of the source is offered for the finding."""
    checked = server.results.get(data.get("model", ""))
    return checked is not None and any(
        fix.proved and fix.edits
        for finding in checked.findings
        if finding.rule == diagnostic.code and list(finding.nodes) == data.get("nodes")
        for fix in finding.fixes
    )


def _action(title: str, command: str, argument: dict[str, Any], diagnostic: lsp.Diagnostic) -> lsp.CodeAction:
    return lsp.CodeAction(
        title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[diagnostic],
        command=lsp.Command(title, command, arguments=[argument]),
    )
