"""Cells of a notebook, as VS Code opens them: each a document of its own."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from aipc.lsp.notebooks import notebook_of, python_lines

from .conftest import pull
from .test_diagnostics import text_at
from .test_lint import client, configure  # noqa: F401

IMPORTS = "%matplotlib inline\nimport torch\nimport torch.nn.functional as F\n"
MODEL = """\
!pip list
class Net(torch.nn.Module):
    def forward(self, größe):
        return "😀", F.pad(größe, (1, 1, 1, 1), mode="circular")
"""
PAD = 'F.pad(größe, (1, 1, 1, 1), mode="circular")'


def open_cell(client: LanguageClient, notebook: str, cell: str, text: str) -> str:  # noqa: F811
    uri = f"vscode-notebook-cell:{notebook}#{cell}"
    item = lsp.TextDocumentItem(uri, "python", 1, text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    return uri


@pytest.mark.asyncio
async def test_a_finding_stands_in_its_cell_and_knows_the_imports_of_another(client, tmp_path) -> None:  # noqa: F811
    notebook = f"{tmp_path}/ä b.ipynb".replace(" ", "%20")
    imports = open_cell(client, notebook, "W0sZmlsZQ%3D%3D", IMPORTS)
    model = open_cell(client, notebook, "W1sZmlsZQ%3D%3D", MODEL)
    (found,) = (await pull(client, model)).items
    assert text_at(MODEL, found.range) == PAD
    assert (found.code, found.source) == ("pad-mode", "aipc")
    assert not (await pull(client, imports)).items
    # A cell of another notebook brings nothing: F is unknown there.
    alone = open_cell(client, f"{tmp_path}/other.ipynb", "W0sZmlsZQ%3D%3D", MODEL)
    assert not (await pull(client, alone)).items
    configure(client, lint={"enabled": False})
    assert not (await pull(client, model)).items


def test_what_is_no_python_is_left_empty_and_keeps_its_line() -> None:
    assert python_lines("%time x = 1\ny = 2\nz?\n!ls") == ("", "y = 2", "", "")
    assert python_lines("%%bash\nls") == ()
    assert python_lines("%%time\nx = 1") == ("", "x = 1")
    assert python_lines("x = a % b") == ("x = a % b",)


def test_only_cells_belong_to_a_notebook() -> None:
    assert str(notebook_of("vscode-notebook-cell:/a/b%20c.ipynb#W0s")) == "/a/b c.ipynb"
    assert notebook_of("file:///a/b.py") is None and notebook_of("untitled:Untitled-1") is None
