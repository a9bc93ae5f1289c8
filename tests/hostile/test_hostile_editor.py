"""The language server in Restricted Mode on a workspace that means harm: nothing of it runs, whatever is asked."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from aipc.mcp.tools import all_tools

from .test_hostile_mcp import VALUES, calls
from .workspace import MODEL, Hostile, build, watched

START = Path(__file__).parents[2] / "bundled" / "start.py"
MODELS = ("model.py:Small", "canary.py:inputs", "../beside/secret.py:Model", "link.py:Model", "../../../esc", "fine")
DEVICE = "ssh:-oProxyCommand=touch x"


def arguments(hostile: Hostile, model: str) -> dict[str, Any]:
    """One argument that every command finds its own in."""
    file = hostile.root / model.rpartition(":")[0]
    package = str(hostile.root / ".aipc" / "packages" / "programs")
    return {
        "model": f"{hostile.root}/{model}",
        "uri": file.as_uri(),
        "folder": hostile.root.as_uri(),
        "target": DEVICE,
        "text": MODEL,
        "package": package,
        "directory": package,
        "path": package,
        "goal": "deploy",
        "soc": "sm8650",
        "inputs": {"x": "canary.py:inputs"},
        "calibration": "canary.py:samples",
        "name": "deploy",
        "arguments": {},
    }


async def use(client: LanguageClient, hostile: Hostile, session: lsp.InitializeResult) -> list[Any]:
    """Open and change files, ask for all that an editor asks for, and call every command; the answers of commands."""
    for name in ("model.py", "canary.py", "json.py", "link.py", "pyproject.toml"):
        uri, text = (hostile.root / name).as_uri(), (hostile.root / name).read_text()
        document = lsp.TextDocumentIdentifier(uri)
        item = lsp.TextDocumentItem(uri, lsp.LanguageKind.Python, 1, text)
        client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        change = lsp.TextDocumentContentChangeWholeDocument(text + "\n")
        client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(lsp.VersionedTextDocumentIdentifier(2, uri), [change])
        )
        client.text_document_did_save(lsp.DidSaveTextDocumentParams(document))
        place = lsp.Position(5, 20)
        whole = lsp.Range(lsp.Position(0, 0), lsp.Position(20, 0))
        await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(document))
        await client.text_document_hover_async(lsp.HoverParams(document, place))
        await client.text_document_code_lens_async(lsp.CodeLensParams(document))
        await client.text_document_inlay_hint_async(lsp.InlayHintParams(document, whole))
        context = lsp.CodeActionContext([])
        await client.text_document_code_action_async(lsp.CodeActionParams(document, whole, context))
    await client.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams([]))
    answers = []
    assert session.capabilities.execute_command_provider
    for command in session.capabilities.execute_command_provider.commands:
        for model in MODELS:
            answers.append(await run(client, command, arguments(hostile, model)))
    for name, given in calls(list(all_tools().values()), VALUES[::5]):
        request = {"name": name, "arguments": given, "folder": hostile.root.as_uri()}
        answers.append(await run(client, "aipc.server.tool", request))
    return answers


async def run(client: LanguageClient, command: str, argument: Any) -> Any:
    for given in ([argument], []):
        # What a command cannot take is answered with an error of the protocol.
        with contextlib.suppress(JsonRpcException), anyio.fail_after(60):
            return await client.workspace_execute_command_async(lsp.ExecuteCommandParams(command, given))
    return None


@pytest.mark.asyncio
async def test_an_untrusted_editor_runs_nothing_and_changes_nothing_outside(tmp_path: Path) -> None:
    hostile = build(tmp_path)
    # What a workspace's settings say of programs and devices, as an editor would hand it over.
    settings = {"soc": "sm8650", "target": DEVICE, "python": str(hostile.root / "python"), "check": {"onSave": True}}
    parameters = lsp.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        root_uri=hostile.root.as_uri(),
        workspace_folders=[lsp.WorkspaceFolder(hostile.root.as_uri(), "workspace")],
        initialization_options={"settings": settings, "trusted": False, "agent": True},
    )
    with watched(hostile) as changes:
        client = make_test_lsp_client()
        environment = {**hostile.environment, "PYTHONPATH": os.pathsep.join(sys.path)}
        await client.start_io(sys.executable, str(START), cwd=hostile.root, env=environment)
        session = await client.initialize_session(parameters)
        answers = await use(client, hostile, session)
        await client.shutdown_session()
        await client.stop()
    assert changes == [], changes
    assert hostile.who_ran == []
    refused = [answer for answer in answers if isinstance(answer, dict) and "error" in answer]
    assert {"Untrusted"} <= {answer["error"]["kind"] for answer in refused}
