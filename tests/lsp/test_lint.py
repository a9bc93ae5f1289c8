"""What the text alone says is shown while typing, and gives way to what a check says."""

from __future__ import annotations

import asyncio

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from .conftest import SERVER, SOURCE, change, check, pull
from .test_diagnostics import text_at

pytestmark = pytest.mark.asyncio

PAD = 'F.pad(größe, (1, 1, 1, 1), mode="circular")'
# The text shows erf; what the compiler sees is one Gelu, made of both functions.
RULED_OUT = """\
import torch
from torch import nn


def half(x):
    return torch.erf(x * 0.70710678)


class Gate(nn.Module):
    def forward(self, x):
        return x * 0.5 * (1.0 + half(x))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 16),)
"""


@pytest_lsp.fixture(config=ClientServerConfig(**SERVER))
async def client(lsp_client: LanguageClient, tmp_path):
    parameters = lsp.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        root_uri=tmp_path.as_uri(),
        workspace_folders=[lsp.WorkspaceFolder(tmp_path.as_uri(), "project")],
        initialization_options={"settings": {}, "trusted": False},
    )
    await lsp_client.initialize_session(parameters)
    yield
    await lsp_client.shutdown_session()


def configure(client, **settings) -> None:
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"aipc": settings}))


async def test_a_finding_is_shown_at_once_also_in_an_untrusted_workspace(client, opened):
    uri = opened()
    (found,) = (await pull(client, uri)).items
    assert text_at(SOURCE, found.range) == PAD
    # What deploy solves by itself, as the matrix has it, is no more than information.
    assert (found.code, found.source, found.severity) == ("pad-mode", "aipc", lsp.DiagnosticSeverity.Information)
    assert "Deploy solves this by itself." in found.message
    assert "QAIRT: Pad mode only support constant." in found.message


async def test_it_follows_the_text(client, opened):
    uri = opened()
    change(client, uri, f"# one more line\n{SOURCE}", 2)
    (moved,) = (await pull(client, uri)).items
    assert moved.range.start.line == 9
    change(client, uri, SOURCE.replace('"circular"', '"constant"'), 3)
    assert not (await pull(client, uri)).items


async def test_it_can_be_ignored_where_it_stands(client, opened):
    uri = opened()
    (found,) = (await pull(client, uri)).items
    parameters = lsp.CodeActionParams(
        lsp.TextDocumentIdentifier(uri), found.range, lsp.CodeActionContext([found], [lsp.CodeActionKind.QuickFix])
    )
    offered = await client.text_document_code_action_async(parameters)
    (action,) = [item for item in offered if item.title == "Ignore pad-mode here"]
    assert not action.is_preferred
    ((edit,),) = [change.edits for change in action.edit.document_changes]
    assert edit.new_text.endswith('mode="circular")  # aipc: ignore[pad-mode]')
    lines = SOURCE.split("\n")
    lines[edit.range.start.line] = edit.new_text
    change(client, uri, "\n".join(lines), 2)
    assert not (await pull(client, uri)).items


async def test_half_typed_code_keeps_it(client, opened):
    uri = opened()
    change(
        client, uri, SOURCE.replace("größe = torch.relu(x)", "größe = torch.relu(x)\n        other = torch.relu("), 2
    )
    (found,) = (await pull(client, uri)).items
    assert found.range.start.line == 9


async def test_it_can_be_turned_off(client, opened):
    uri = opened()
    configure(client, lint={"enabled": False})
    assert not (await pull(client, uri)).items
    configure(client, lint={"enabled": True})
    assert len((await pull(client, uri)).items) == 1


async def test_the_setting_then_the_configuration_chooses_the_soc(client, opened, tmp_path):
    uri = opened()
    (tmp_path / "pyproject.toml").write_text('[tool.aipc]\nsoc = "qcs6490"\n', encoding="utf-8")
    assert not (await pull(client, uri)).items  # nothing was measured for it
    configure(client, soc="sm8750")
    (found,) = (await pull(client, uri)).items
    assert found.code == "pad-mode"


async def test_a_check_replaces_it(client, opened, tmp_path):
    uri = opened()
    client.protocol.notify("aipc/trustGranted", {})
    await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    (found,) = (await pull(client, uri)).items
    assert found.data["nodes"], "the compiler's finding names its nodes"


async def test_a_line_that_was_checked_and_is_clean_shows_none(client, opened, tmp_path):
    uri = opened(RULED_OUT)
    (before,) = (await pull(client, uri)).items
    assert before.code == "unsupported-operator"
    client.protocol.notify("aipc/trustGranted", {})
    await check(client, f"{tmp_path / 'model.py'}:Gate", uri)
    assert not (await pull(client, uri)).items
    change(client, uri, RULED_OUT.replace("x * 0.70710678)", "x * 0.70710678 )"), 2)
    assert len((await pull(client, uri)).items) == 1
    await asyncio.sleep(0)
