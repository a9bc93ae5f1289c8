"""A real client, over stdio, of a real server process."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

SOURCE = """\
import torch
import torch.nn.functional as F
from torch import nn


class Tracker(nn.Module):
    def forward(self, x):
        größe = torch.relu(x)
        ring = "✓", F.pad(größe, (1, 1, 1, 1), mode="circular")
        return ring[1] + 1

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8),)


class Unknown(nn.Module):
    def forward(self, x):
        return x
"""


# One cache for all tests of the server: equal models are captured once.
_CACHE = tempfile.mkdtemp(prefix="aipc-test-lsp-")
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)


SERVER = {
    "server_command": [sys.executable, "-m", "aipc.lsp"],
    "server_env": {**os.environ, "AIPC_CACHE_DIR": _CACHE},
}


@pytest_lsp.fixture(config=ClientServerConfig(**SERVER))
async def client(lsp_client: LanguageClient, tmp_path: Path):
    parameters = lsp.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        root_uri=tmp_path.as_uri(),
        workspace_folders=[lsp.WorkspaceFolder(tmp_path.as_uri(), "project")],
        # What the text alone says has its own tests; here it would hide whether a check brought something.
        initialization_options={"settings": {"soc": "sm8650", "lint": {"enabled": False}}, "trusted": True},
    )

    @lsp_client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    def leave_unanswered(question: lsp.ShowMessageRequestParams) -> None:
        """A machine under load takes longer than checks wait before they ask."""

    await lsp_client.initialize_session(parameters)
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def opened(client: LanguageClient, tmp_path: Path) -> Callable[[str], str]:
    """Write a model file with this source and open it; returns its URI."""

    def open_source(source: str = SOURCE) -> str:
        path = tmp_path / "model.py"
        path.write_text(source, encoding="utf-8")
        uri = path.as_uri()
        client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, lsp.LanguageKind.Python, 1, source))
        )
        return uri

    return open_source


def save(client: LanguageClient, uri: str) -> None:
    client.text_document_did_save(lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri)))


async def pull(client: LanguageClient, uri: str, previous: str | None = None) -> lsp.DocumentDiagnosticReport:
    parameters = lsp.DocumentDiagnosticParams(lsp.TextDocumentIdentifier(uri), previous_result_id=previous)
    return await client.text_document_diagnostic_async(parameters)


async def check(client: LanguageClient, model: str, uri: str) -> dict:
    parameters = lsp.ExecuteCommandParams("aipc.server.check", [{"model": model, "uri": uri}])
    return await client.workspace_execute_command_async(parameters)


def change(client: LanguageClient, uri: str, source: str, version: int) -> None:
    client.text_document_did_change(
        lsp.DidChangeTextDocumentParams(
            lsp.VersionedTextDocumentIdentifier(version, uri), [lsp.TextDocumentContentChangeWholeDocument(source)]
        )
    )


async def run(client: LanguageClient, command: str, *arguments: object):
    return await client.workspace_execute_command_async(lsp.ExecuteCommandParams(command, list(arguments)))
