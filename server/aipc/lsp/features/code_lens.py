"""Lenses over each model: check it, deploy it, show its graph."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

from lsprotocol import types as lsp

from aipc.core.config import Config
from aipc.core.errors import AipcError, ModelLoadError
from aipc.core.types import Position, Range
from aipc.source import split_lines
from aipc.source.model_sites import ModelSite, find_models
from aipc.source.parsing import parse_module

from ..check_state import moved_lines
from ..documents import EditorModel
from ..effective import configuration, effective_for
from ..server import AipcServer
from ..uris import local_path, to_path
from .commands import answer_error


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS, lsp.CodeLensOptions(resolve_provider=False))
    async def lenses(parameters: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        if not server.setting("codeLens.enabled", True):
            return []
        uri = parameters.text_document.uri
        lenses_of_file = []
        for site in await sites(server, uri):
            place = lsp.Range(lsp.Position(site.line - 1, 0), lsp.Position(site.line - 1, 0))
            for title, command in _lenses(server, site, uri):
                lenses_of_file.append(
                    lsp.CodeLens(place, lsp.Command(title, command, arguments=[described(site, uri)]))
                )
        return lenses_of_file

    @server.command("aipc.server.models")
    async def models(argument: dict[str, str]) -> object:
        """The models of a document, those that need arguments with ``needs``; an error where it is not Python."""
        uri = argument["uri"]
        if (path := local_path(uri)) and (error := _syntax_error(server, uri, path)):
            return answer_error(error)
        return [described(site, uri) for site in await sites(server, uri) if not site.part]


def _lenses(server: AipcServer, site: ModelSite, uri: str) -> list[tuple[str, str]]:
    """Titles and commands over one model; none that could only fail."""
    if site.needs:
        return [(f"{site.title} needs {', '.join(site.needs)}: write a factory", "aipc.writeFactory")]
    if site.part:
        return [(f"Check {site.title}, which contains {site.part}", "aipc.check")]
    return [
        (f"Check {site.title}", "aipc.check"),
        (f"Deploy to {_where(server, site, uri)}", "aipc.deploy"),
        ("Show graph", "aipc.showGraph"),
    ]


def _syntax_error(server: AipcServer, uri: str, path: Path) -> ModelLoadError | None:
    try:
        ast.parse(server.documents.get_text_document(uri).source)
    except SyntaxError as error:
        start = Position(error.lineno or 1, max(0, (error.offset or 1) - 1))
        place = Range(str(path), start, Position(start.line, start.column + 1))
        return ModelLoadError(f"{path.name} is not valid Python: {error.msg}", remedy="correct the line", range=place)
    except (OSError, ValueError, RecursionError, MemoryError):
        return None
    return None


async def sites(server: AipcServer, uri: str) -> tuple[ModelSite, ...]:
    """The models of a document; none while its configuration cannot be read."""
    path = local_path(uri)
    if path is None:
        return ()
    try:
        text = server.documents.get_text_document(uri).source
        return await server.beside(_sites, text, path, configuration(path.parent))
    except (AipcError, OSError, UnicodeDecodeError):
        return ()


_last: dict[Path, tuple[tuple[str, ...], tuple[ModelSite, ...]]] = {}
"""Lines and models of each file when it last was Python; used by the one thread that reads texts."""


def _sites(text: str, path: Path, config: Config) -> tuple[ModelSite, ...]:
    """The models of a text; while a line is half typed, those that it had before, at their present lines."""
    lines = split_lines(text)
    if parse_module(text) is None:
        before, known = _last.get(path, ((), ()))
        moved = moved_lines(before, lines)
        return tuple(replace(site, line=moved[site.line]) for site in known if site.line in moved)
    sites = find_models(text, path, config)
    _last[path] = (lines, sites)
    return sites


def _where(server: AipcServer, site: ModelSite, uri: str) -> str:
    """The chip or the device that a deployment of the model is for."""
    try:
        chosen = effective_for(server, to_path(uri).parent, site.reference)
    except AipcError:
        return "Snapdragon"
    return chosen.soc.value.upper() if chosen.target.value == "simulator" else chosen.target.value


def described(site: ModelSite, uri: str) -> EditorModel:
    return EditorModel(
        model=site.reference,
        title=site.title,
        uri=uri,
        line=site.line,
        hasInputs=site.has_inputs,
        arguments=list(site.arguments),
        precision=site.precision,
        calibration=site.calibration,
        needs=list(site.needs),
    )
