"""Check on save, or when typing pauses; cancel what is running when the text changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from aipc.core.errors import AipcError
from aipc.source.model_sites import checkable_models
from aipc.source.parsing import parse_module

from ..effective import configuration
from ..server import AipcServer
from ..uris import local_path, to_path


async def _check(server: AipcServer, reference: str, path: Path) -> None:
    await server.checker.check(reference, path)


def checkable_references(path: Path, text: str) -> list[str]:
    """The models of a file that can be checked by their name; none while its configuration cannot be read."""
    try:
        return [site.reference for site in checkable_models(text, path, configuration(path.parent))]
    except AipcError:
        return []


def models_of(server: AipcServer, path: Path, text: str) -> list[str]:
    """Models to check when ``path`` is saved: those in it whose inputs are known, and those that came from it."""
    try:
        config = configuration(path.parent)
    except AipcError:
        return []
    references = [site.reference for site in checkable_models(text, path, config) if site.has_inputs]
    references += [
        reference
        for reference, checked in server.results.items()
        if str(path) in checked.texts and reference not in references
    ]
    return references


def _is_python(text: str) -> bool:
    """Half-typed code is not worth a check."""
    return parse_module(text) is not None


async def check_file(server: AipcServer, path: Path, text: str, unsaved: Mapping[str, str] | None = None) -> None:
    wanted = models_of(server, path, text)
    opened_texts = {str(path): text}

    async def check(reference: str) -> None:
        if not await server.checker.keep_if_same(reference, path, opened_texts):
            await server.checker.check(reference, path, unsaved=unsaved)

    await asyncio.gather(*(check(reference) for reference in wanted))


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE, lsp.SaveOptions(include_text=False))
    async def saved(parameters: lsp.DidSaveTextDocumentParams) -> None:
        path = local_path(parameters.text_document.uri)
        if (
            path is None
            or not server.trusted
            or path.suffix != ".py"
            or server.setting("check.trigger", "save") == "command"
        ):
            return
        document = server.documents.get_text_document(parameters.text_document.uri)
        await check_file(server, path, document.source)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(parameters: lsp.DidOpenTextDocumentParams) -> None:
        """The last result of each model at once; where its code or what is in effect has changed, it is checked."""
        path = local_path(parameters.text_document.uri)
        if path is None or path.suffix != ".py" or not server.trusted:
            return
        text = server.documents.get_text_document(parameters.text_document.uri).source
        for reference in checkable_references(path, text):
            if not await server.checker.show_last(reference):
                continue
            known = await server.checker.keep_if_same(reference, path, {str(path): text})
            if not known and server.setting("check.trigger", "save") != "command":
                server.keep_task(asyncio.ensure_future(_check(server, reference, path)))

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(parameters: lsp.DidChangeTextDocumentParams) -> None:
        if path := local_path(parameters.text_document.uri):
            server.checker.cancel_for(path)

    @server.command("aipc.server.checkText")
    async def check_text(argument: dict[str, str]) -> None:
        """Check the models of a file as the editor has it, saved or not; for pauses in typing."""
        path = local_path(argument["uri"])
        if path is None:
            return
        text = server.documents.get_text_document(argument["uri"]).source
        if server.trusted and _is_python(text):
            await check_file(server, path, text, {str(path): text})

    @server.feature("aipc/visible")
    def visible(parameters: Any) -> None:
        server.visible = {to_path(uri) for uri in getattr(parameters, "uris", [])}

    @server.command("aipc.server.cancelChecks")
    def cancel() -> None:
        server.checker.cancel_all()
