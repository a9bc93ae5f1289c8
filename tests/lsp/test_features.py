"""Lenses, hints, hovers and commands say what the engine says."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from .conftest import check

pytestmark = pytest.mark.asyncio


async def test_every_model_class_has_its_lenses(client, opened):
    uri = opened()
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    titles = [(lens.range.start.line, lens.command.title) for lens in lenses]
    assert titles == [
        (5, "Check Tracker"),
        (5, "Deploy to Snapdragon"),
        (16, "Check Unknown"),
        (16, "Deploy to Snapdragon"),
    ]
    assert [lens.command.arguments[0]["hasInputs"] for lens in lenses] == [True, True, False, False]


async def test_hints_and_hover_say_where_each_line_runs(client, opened, tmp_path):
    uri = opened()
    report = await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    assert report["placement"] == {"npu": 2, "cpu": 1, "fails": 0}
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(30, 0))
    hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(lsp.TextDocumentIdentifier(uri), whole))
    assert {hint.position.line: hint.label for hint in hints} == {7: "NPU", 8: "CPU 1/1", 9: "NPU"}
    parameters = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(8, 25))
    hover = await client.text_document_hover_async(parameters)
    assert "| `Pad` | – | cpu: Pad mode only support constant. |" in hover.contents.value


async def test_an_unknown_soc_is_answered_in_a_sentence(client, opened, tmp_path):
    uri = opened()
    argument = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri, "soc": "sm8651"}
    answer = await client.workspace_execute_command_async(lsp.ExecuteCommandParams("aipc.server.check", [argument]))
    assert "sm8651" in answer["error"]["message"]


async def test_targets_doctor_and_inference(client, opened, tmp_path):
    uri = opened()

    async def run(command, *arguments):
        return await client.workspace_execute_command_async(lsp.ExecuteCommandParams(command, list(arguments)))

    targets = await run("aipc.server.targets")
    assert targets["targets"][0]["available"]
    assert any(soc["part"] == "sm8650" for soc in targets["socs"])
    assert (await run("aipc.server.doctor"))["ok"]
    model = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri}
    assert (await run("aipc.server.infer", model))["shapes"] == {"x": "float32[1,3,8,8]"}


async def test_deploy_gives_the_report_of_the_command_line(client, opened, tmp_path):
    uri = opened()
    argument = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri, "allowCpu": True}
    report = await client.workspace_execute_command_async(lsp.ExecuteCommandParams("aipc.server.deploy", [argument]))
    assert report["ok"], report
    assert report["latency"] is None
    assert (tmp_path / ".aipc" / "packages" / "Tracker-sm8650-fp16" / "manifest.json").is_file()
