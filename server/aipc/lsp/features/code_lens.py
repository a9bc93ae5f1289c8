"""A lens over each model: check it, deploy it, show its graph."""

from __future__ import annotations

from lsprotocol import types as lsp

from aipc.core.errors import AipcError

from ..effective import configuration, effective_for
from ..models import ModelSite, find_models
from ..server import AipcServer
from ..uris import local_path, to_path


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS, lsp.CodeLensOptions(resolve_provider=False))
    async def lenses(parameters: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        if not server.setting("codeLens.enabled", True):
            return []
        uri = parameters.text_document.uri
        lenses_of_file = []
        for site in await sites(server, uri):
            place = lsp.Range(lsp.Position(site.line - 1, 0), lsp.Position(site.line - 1, 0))
            for title, command in (
                (f"Check {site.title}", "aipc.check"),
                (f"Deploy to {_where(server, site, uri)}", "aipc.deploy"),
                ("Show graph", "aipc.showGraph"),
            ):
                lenses_of_file.append(
                    lsp.CodeLens(place, lsp.Command(title, command, arguments=[described(site, uri)]))
                )
        return lenses_of_file

    @server.command("aipc.server.models")
    async def models(argument: dict[str, str]) -> list[dict[str, object]]:
        return [described(site, argument["uri"]) for site in await sites(server, argument["uri"])]


async def sites(server: AipcServer, uri: str) -> tuple[ModelSite, ...]:
    """The models of a document; none while its configuration cannot be read."""
    path = local_path(uri)
    if path is None:
        return ()
    try:
        text = server.documents.get_text_document(uri).source
        return await server.beside(find_models, text, path, configuration(path.parent))
    except (AipcError, OSError, UnicodeDecodeError):
        return ()


def _where(server: AipcServer, site: ModelSite, uri: str) -> str:
    """The chip or the device that a deployment of the model is for."""
    try:
        chosen = effective_for(server, to_path(uri).parent, site.reference)
    except AipcError:
        return "Snapdragon"
    return chosen.soc.value.upper() if chosen.target.value == "simulator" else chosen.target.value


def described(site: ModelSite, uri: str) -> dict[str, object]:
    return {
        "model": site.reference,
        "title": site.title,
        "uri": uri,
        "line": site.line,
        "hasInputs": site.has_inputs,
        "arguments": list(site.arguments),
        "precision": site.precision,
        "calibration": site.calibration,
    }
