"""A lens over each model: check it, deploy it, show its graph."""

from __future__ import annotations

from lsprotocol import types as lsp

from aipc.core.config import load_config
from aipc.core.errors import AipcError

from ..models import find_models
from ..server import AipcServer, to_path


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS, lsp.CodeLensOptions(resolve_provider=False))
    def lenses(parameters: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        uri = parameters.text_document.uri
        path = to_path(uri)
        document = server.workspace.get_text_document(uri)
        try:
            sites = find_models(document.source, path, load_config(path.parent))
        except AipcError:
            return []
        found = []
        for site in sites:
            place = lsp.Range(lsp.Position(site.line - 1, 0), lsp.Position(site.line - 1, 0))
            arguments = [{"model": site.reference, "uri": uri, "hasInputs": site.has_inputs}]
            for title, command in (
                (f"Check {site.title}", "aipc.check"),
                ("Deploy to Snapdragon", "aipc.deploy"),
            ):
                found.append(lsp.CodeLens(place, lsp.Command(title, command, arguments=list(arguments))))
        return found
