"""Check on save, and cancel what is running when the text changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types as lsp

from aipc.core.config import load_config
from aipc.core.errors import AipcError

from ..checks import Checker
from ..models import find_models
from ..server import AipcServer, to_path


def checker(server: AipcServer) -> Checker:
    found: Checker | None = getattr(server, "_checker", None)
    if found is None:
        found = Checker(server)
        server._checker = found  # type: ignore[attr-defined]
    return found


def models_of(server: AipcServer, path: Path, text: str) -> list[str]:
    """Models to check when ``path`` is saved: those in it whose inputs are known, and those that came from it."""
    try:
        config = load_config(path.parent)
    except AipcError:
        return []
    references = [site.reference for site in find_models(text, path, config) if site.has_inputs]
    references += [
        reference
        for reference, checked in server.results.items()
        if str(path) in checked.texts and reference not in references
    ]
    return references


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE, lsp.SaveOptions(include_text=False))
    async def saved(parameters: lsp.DidSaveTextDocumentParams) -> None:
        path = to_path(parameters.text_document.uri)
        if not server.trusted or path.suffix != ".py" or not server.setting("check.onSave", True):
            return
        document = server.workspace.get_text_document(parameters.text_document.uri)
        wanted = models_of(server, path, document.source)
        await asyncio.gather(*(checker(server).check(reference, path) for reference in wanted))

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(parameters: lsp.DidOpenTextDocumentParams) -> None:
        return

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(parameters: lsp.DidChangeTextDocumentParams) -> None:
        checker(server).cancel_for(to_path(parameters.text_document.uri))
