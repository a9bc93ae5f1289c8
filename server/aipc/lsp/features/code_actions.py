"""What can be done about a finding from its light bulb: fix it, fix all of them, see it on the graph."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from ..agent_actions import agent_actions
from ..documents import EditorModel
from ..ignore_actions import ignore_actions
from ..quick_fixes import FIX_ALL, fixes_of, fixes_together
from ..server import AipcServer


def register(server: AipcServer) -> None:
    options = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, FIX_ALL])

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, options)
    def actions(parameters: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        path = server.file_of(parameters.text_document.uri)
        if path is None:
            return []
        ours = [item for item in parameters.context.diagnostics if item.source == "aipc"]
        fixes = [action for diagnostic in ours for action in fixes_of(server, diagnostic, path)]
        fixes += fixes_together(server, path, parameters.range)
        fixes += [action for diagnostic in ours for action in _of(diagnostic, parameters.text_document.uri)]
        fixes += agent_actions(server, ours, parameters.text_document.uri)
        fixes += [action for diagnostic in ours for action in ignore_actions(server, diagnostic, path)]
        only = parameters.context.only
        return [action for action in fixes if not only or any(_is_of(action.kind, kind) for kind in only)]


def _is_of(kind: str | None, wanted: str) -> bool:
    return kind == wanted or f"{kind}".startswith(f"{wanted}.")


def _of(diagnostic: lsp.Diagnostic, uri: str) -> list[lsp.CodeAction]:
    data: Any = diagnostic.data or {}
    nodes = data.get("nodes", [])
    if not nodes:
        return []
    argument = EditorModel(
        model=data["model"],
        title="",
        uri=uri,
        line=diagnostic.range.start.line + 1,
        hasInputs=True,
        arguments=[],
        nodes=nodes,
    )
    title = "Show in the graph"
    return [
        lsp.CodeAction(
            title,
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            command=lsp.Command(title, "aipc.showGraph", arguments=[argument]),
        )
    ]
