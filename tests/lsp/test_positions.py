"""Places are where the client counts them: in each encoding of columns, and in lines as the protocol ends them."""

from __future__ import annotations

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from .conftest import SERVER, pull

pytestmark = pytest.mark.asyncio

BYTES_A_UNIT = {"utf-8": 1, "utf-16-le": 2, "utf-32-le": 4}
KINDS = {
    "utf-8": lsp.PositionEncodingKind.Utf8,
    "utf-16-le": lsp.PositionEncodingKind.Utf16,
    "utf-32-le": lsp.PositionEncodingKind.Utf32,
}
PAD = 'F.pad(größe, (1, 1, 1, 1), mode="circular")'
# A form feed, U+2028 and U+0085 end no line of Python, nor of the protocol.
SOURCE = (
    "import torch\r\nimport torch.nn.functional as F\r\nfrom torch import nn\r\n\f\r\n"
    "class Ring(nn.Module):\r\n"
    "    def forward(self, größe):\r\n"
    '        sign = "ä😀\f\u2028\x85", '
    f"{PAD}\r\n"
    "        return F.pad(\r\n"
    '            sign[1], (1, 1), mode="circular"  # 😀\r\n'
    "        )\r\n"
)


@pytest_lsp.fixture(params=list(KINDS), config=ClientServerConfig(**SERVER))
async def client(request, lsp_client: LanguageClient, tmp_path):
    capabilities = client_capabilities("visual-studio-code")
    general = capabilities.general or lsp.GeneralClientCapabilities()
    general.position_encodings = [KINDS[request.param]]
    capabilities.general = general
    parameters = lsp.InitializeParams(
        capabilities=capabilities,
        root_uri=tmp_path.as_uri(),
        initialization_options={"settings": {}, "trusted": False},
    )
    result = await lsp_client.initialize_session(parameters)
    assert result.capabilities.position_encoding == KINDS[request.param]
    lsp_client.encoding = request.param
    yield
    await lsp_client.shutdown_session()


def position(text: str, index: int, encoding: str) -> lsp.Position:
    """An index as a client with this encoding writes it; written anew here, from the protocol's text."""
    before = text[:index].replace("\r\n", "\n")
    line = before.rpartition("\n")[2]
    return lsp.Position(before.count("\n"), len(line.encode(encoding)) // BYTES_A_UNIT[encoding])


def open_text(client, tmp_path, text):
    uri = (tmp_path / "model.py").as_uri()
    item = lsp.TextDocumentItem(uri, lsp.LanguageKind.Python, 1, text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    return uri


def place_of(text, part, encoding):
    first = text.index(part)
    return lsp.Range(position(text, first, encoding), position(text, first + len(part), encoding))


async def test_findings_are_on_their_expressions(client, tmp_path):
    uri = open_text(client, tmp_path, SOURCE)
    found = (await pull(client, uri)).items
    outer = SOURCE[SOURCE.index("F.pad(\r\n") :].removesuffix("\r\n")
    assert [item.range for item in found] == [place_of(SOURCE, part, client.encoding) for part in (PAD, outer)]


async def test_edits_of_the_client_change_the_text_that_it_shows(client, tmp_path):
    uri, text = open_text(client, tmp_path, SOURCE), SOURCE
    edits = [
        ("größe, (1", "größe, (2"),
        ("😀\f", "😀😀\f"),
        ("\x85", "\x85ö"),
        ('"  # 😀\r\n        )\r\n', '"  # 😀\r\n        )\r\n\r\n'),
        ("import torch\r\n", "import torch\r\n\r\n"),
    ]
    for version, (old, new) in enumerate(edits, 2):
        change = lsp.TextDocumentContentChangePartial(place_of(text, old, client.encoding), new)
        identifier = lsp.VersionedTextDocumentIdentifier(version, uri)
        client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))
        text = text.replace(old, new, 1)
    found = (await pull(client, uri)).items
    outer = text[text.index("F.pad(\r\n") :].removesuffix("\r\n\r\n")
    pad = PAD.replace("(1, ", "(2, ", 1)
    assert [item.range for item in found] == [place_of(text, part, client.encoding) for part in (pad, outer)]
