"""Every document and every position is answered, and a long text keeps no other request waiting."""

from __future__ import annotations

import asyncio
import time

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from .conftest import SERVER, SOURCE, pull, run

pytestmark = pytest.mark.asyncio


@pytest_lsp.fixture(config=ClientServerConfig(**SERVER))
async def client(lsp_client: LanguageClient, tmp_path):
    parameters = lsp.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        root_uri=tmp_path.as_uri(),
        initialization_options={"settings": {}, "trusted": False},
    )
    await lsp_client.initialize_session(parameters)
    yield
    await lsp_client.shutdown_session()


def show(client, uri, text=SOURCE):
    item = lsp.TextDocumentItem(uri, lsp.LanguageKind.Python, 1, text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    return lsp.TextDocumentIdentifier(uri)


def hover(client, document, line=0, character=0):
    return client.text_document_hover_async(lsp.HoverParams(document, lsp.Position(line, character)))


NAMES = ["a b.py", "é+😀.py", "50%25#?.py"]


@pytest.mark.parametrize("name", NAMES)
async def test_findings_appear_whatever_the_path_is(client, tmp_path, name):
    folder = tmp_path / "ä & ö"
    folder.mkdir()
    # As VS Code writes it: more is escaped than needs to be.
    uri = (folder / name).as_uri().replace("+", "%2B").replace("&", "%26")
    show(client, uri)
    assert [item.code for item in (await pull(client, uri)).items] == ["pad-mode"]


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "http://host/a.py", "git:/a.py?ref"])
async def test_documents_in_no_file_are_answered(client, uri):
    document = show(client, uri)
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
    assert not (await pull(client, uri)).items
    assert await hover(client, document) is None
    assert not await client.text_document_code_lens_async(lsp.CodeLensParams(document))
    assert not await client.text_document_inlay_hint_async(lsp.InlayHintParams(document, whole))
    context = lsp.CodeActionContext([])
    assert not await client.text_document_code_action_async(lsp.CodeActionParams(document, whole, context))
    change = lsp.TextDocumentContentChangePartial(whole, "x")
    identifier = lsp.VersionedTextDocumentIdentifier(2, uri)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))
    client.text_document_did_save(lsp.DidSaveTextDocumentParams(document))
    assert await run(client, "aipc.server.models", {"uri": uri}) == []


async def test_positions_that_there_are_not_are_answered(client, tmp_path):
    document = show(client, (tmp_path / "model.py").as_uri())
    for line, character in ((10**6, 0), (0, 10**6), (2**31 - 1, 2**31 - 1), (8, 10**9)):
        assert await hover(client, document, line, character) is None


async def test_a_file_of_50_000_lines_keeps_no_hover_waiting(client, tmp_path):
    uri = (tmp_path / "model.py").as_uri()
    rows = "".join(f"        x = torch.relu(x + {number})\n" for number in range(50_000))
    document = show(
        client, uri, f"{SOURCE}\n\nclass Big(nn.Module):\n    def forward(self, x):\n{rows}        return x\n"
    )
    pulled = asyncio.ensure_future(pull(client, uri))
    lenses = asyncio.ensure_future(client.text_document_code_lens_async(lsp.CodeLensParams(document)))
    await asyncio.sleep(0.2)
    waited = []
    while not (pulled.done() and lenses.done()):
        started = time.perf_counter()
        await hover(client, document)
        waited.append(time.perf_counter() - started)
        await asyncio.sleep(0.02)
    assert [item.code for item in pulled.result().items] == ["pad-mode"]
    # Python's own parser lets nothing else run while it reads: that is the most that a hover waits.
    assert sorted(waited)[len(waited) // 2] < 0.5
