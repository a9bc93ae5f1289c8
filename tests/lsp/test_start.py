"""The server is light: it loads nothing heavy, and nothing outlives it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from .conftest import SOURCE

HEAVY = ("torch", "onnx", "onnxruntime", "numpy")


def test_starting_imports_no_heavy_library():
    code = "import sys; import aipc.lsp.start as s; s.create(); print([m for m in sys.argv[1:] if m in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, timeout=60)
    assert finished.stdout.strip() == "[]", finished.stderr


@pytest.mark.asyncio
async def test_nothing_outlives_a_killed_server(tmp_path: Path):
    path = tmp_path / "model.py"
    path.write_text(SOURCE, encoding="utf-8")
    client = LanguageClient("test", "1")
    await client.start_io(sys.executable, "-m", "aipc.lsp")
    await client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities(), root_uri=tmp_path.as_uri()))
    client.initialized(lsp.InitializedParams())
    document = lsp.TextDocumentItem(path.as_uri(), lsp.LanguageKind.Python, 1, SOURCE)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
    client.text_document_did_save(lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(path.as_uri())))
    server = psutil.Process(client._server.pid)
    children: list[psutil.Process] = []
    for _ in range(300):
        children = server.children(recursive=True)
        if len(children) >= 3:  # the fork server, a job, its guard
            break
        await asyncio.sleep(0.1)
    assert children
    server.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, [process.cmdline() for process in alive]
    await client.stop()
