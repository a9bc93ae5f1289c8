"""Cells of notebooks. Each is a document of its own; it is read together with the other cells of its notebook.

What the text alone says of a cell is shown in it. Checks by the compiler run in the notebook's kernel: ``aipc.check``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aipc.core.types import Finding, Range
from aipc.lint import lint
from aipc.source import split_lines

from .effective import soc_in_effect
from .server import AipcServer
from .uris import to_path, uri_key

_SCHEME = "vscode-notebook-cell:"
_MAGIC = re.compile(r"\s*[%!?]|.*\?\s*$")
_OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|timeit|capture|prun)\w")


def notebook_of(uri: str) -> Path | None:
    """The notebook that a cell belongs to; None for any other document."""
    if not uri.startswith(_SCHEME):
        return None
    return to_path("file://" + uri.removeprefix(_SCHEME).partition("#")[0])


def python_lines(source: str) -> tuple[str, ...]:
    """A cell's lines, with those of IPython that are no Python left empty; none of a cell in another language."""
    lines = split_lines(source)
    if lines and _OTHER_LANGUAGE.match(lines[0]):
        return ()
    return tuple("" if _MAGIC.match(line) else line for line in lines)


async def cell_findings(server: AipcServer, uri: str, notebook: Path) -> list[Finding]:
    """What the text of a cell says, with the imports and classes of the notebook's other cells known.

    The client does not say in which order the cells run: all others count as having run before.
    """
    if not server.setting("lint.enabled", True):
        return []
    own = python_lines(server.documents.get_text_document(uri).source)
    before = [line for source in _other_cells(server, uri) for line in python_lines(source)]
    findings = await server.beside(lint, "\n".join((*before, *own)), str(notebook), soc_in_effect(server, notebook))
    shown = (_moved(finding, len(before)) for finding in findings)
    return [finding for finding in shown if finding is not None]


def _other_cells(server: AipcServer, uri: str) -> Sequence[str]:
    prefix, own = uri_key(uri).partition("#")[0] + "#", uri_key(uri)
    documents = server.documents.open_documents()
    return [documents[key].source for key in documents if key.startswith(prefix) and key != own]


def _moved(finding: Finding, lines: int) -> Finding | None:
    """The finding at its place in the cell; None where it belongs to another cell."""
    place = finding.range
    if place is None or place.start.line <= lines:
        return None
    start = replace(place.start, line=place.start.line - lines)
    end = replace(place.end, line=place.end.line - lines)
    return replace(finding, range=Range(place.file, start, end), related=())
