"""What can be done about a finding from its light bulb: see it on the graph, read its rule."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from ..server import AipcServer


def register(server: AipcServer) -> None:
    options = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, options)
    def actions(parameters: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        found = []
        for diagnostic in parameters.context.diagnostics:
            if diagnostic.source == "aipc":
                found += _of(diagnostic, parameters.text_document.uri)
        return found


def _of(diagnostic: lsp.Diagnostic, uri: str) -> list[lsp.CodeAction]:
    data: Any = diagnostic.data or {}
    nodes = data.get("nodes", [])
    if not nodes:
        return []
    argument = {"model": data["model"], "title": "", "uri": uri, "hasInputs": True, "arguments": [], "nodes": nodes}
    title = "Show in the graph"
    return [
        lsp.CodeAction(
            title,
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            command=lsp.Command(title, "aipc.showGraph", arguments=[argument]),
        )
    ]
