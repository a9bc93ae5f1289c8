"""Lenses, hints, hovers and commands say what the engine says."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from .conftest import change, check, run

pytestmark = pytest.mark.asyncio


async def test_every_model_class_has_its_lenses(client, opened):
    uri = opened()
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    titles = [(lens.range.start.line, lens.command.title) for lens in lenses]
    assert titles == [
        (5, "Check Tracker"),
        (5, "Deploy to SM8650"),
        (5, "Show graph"),
        (16, "Check Unknown"),
        (16, "Deploy to SM8650"),
        (16, "Show graph"),
    ]
    assert [lens.command.arguments[0]["hasInputs"] for lens in lenses] == [True] * 3 + [False] * 3
    assert [site["title"] for site in await run(client, "aipc.server.models", {"uri": uri})] == ["Tracker", "Unknown"]


BLOCKS = """\
from torch import nn

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Conv2d(3, width, 1)
    def forward(self, x):
        return self.layer(x)

class Alone(Block):
    def __init__(self, width, depth):
        super().__init__(width)

def net():
    return nn.Sequential(Block(4), nn.ReLU())
"""


async def test_no_lens_is_a_dead_end(client, opened):
    uri = opened(BLOCKS)
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    assert [(lens.range.start.line, lens.command.title) for lens in lenses] == [
        (2, "Check net, which contains Block"),
        (9, "Alone needs width, depth: write a factory"),
        (13, "Check net"),
        (13, "Deploy to SM8650"),
        (13, "Show graph"),
    ]
    assert lenses[0].command.arguments[0]["model"] == lenses[2].command.arguments[0]["model"]
    change(client, uri, f"import math\n{BLOCKS}x = (\n", 2)
    half_typed = await client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    assert [lens.range.start.line for lens in half_typed] == [3, 10, 14, 14, 14]
    assert "is not valid Python" in str(await run(client, "aipc.server.models", {"uri": uri}))
    change(client, uri, BLOCKS, 3)
    sites = await run(client, "aipc.server.models", {"uri": uri})
    assert [(site["title"], site["needs"]) for site in sites] == [("Alone", ["width", "depth"]), ("net", [])]


async def hints_of(client, uri):
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(30, 0))
    hints = await client.text_document_inlay_hint_async(lsp.InlayHintParams(lsp.TextDocumentIdentifier(uri), whole))
    return {hint.position.line: hint.label for hint in hints}


async def test_hints_say_where_each_line_runs_and_when_that_is_stale(client, opened, tmp_path):
    uri = opened()
    report = await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    assert report["placement"] == {"npu": 2, "cpu": 1, "fails": 0}
    assert await hints_of(client, uri) == {7: "NPU", 8: "CPU 1/1", 9: "NPU"}
    change(client, uri, (tmp_path / "model.py").read_text("utf-8").replace("+ 1", "+ 2"), 2)
    assert await hints_of(client, uri) == {7: "NPU (stale)", 8: "CPU 1/1 (stale)"}


async def test_hover_is_about_the_innermost_expression(client, opened, tmp_path):
    uri = opened()
    await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    at = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(8, 25))
    hover = await client.text_document_hover_async(at)
    assert "| `Pad` | – | cpu: Pad mode only support constant. |" in hover.contents.value
    assert (hover.range.start.line, hover.range.start.character) == (8, 20)
    nothing = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(0, 2))
    assert await client.text_document_hover_async(nothing) is None


async def test_an_unknown_soc_is_answered_in_a_sentence(client, opened, tmp_path):
    uri = opened()
    argument = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri, "soc": "sm8651"}
    answer = await run(client, "aipc.server.check", argument)
    assert "sm8651" in answer["error"]["message"]


async def test_targets_doctor_and_inference(client, opened, tmp_path):
    uri = opened()
    targets = await run(client, "aipc.server.targets")
    assert next(target for target in targets["targets"] if target["name"] == "simulator")["available"]
    assert any(soc["part"] == "sm8650" for soc in targets["socs"])
    assert (await run(client, "aipc.server.doctor"))["ok"]
    model = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri}
    assert (await run(client, "aipc.server.infer", model))["shapes"] == {"x": "float32[1,3,8,8]"}


async def test_one_answer_says_what_is_in_effect_and_who_says_so(client, opened, tmp_path):
    uri = opened()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.aipc]\nsoc = "qcs6490"\n\n[tool.aipc.models.t]\nentry = "model.py:Tracker"\n'
    )
    found = await run(client, "aipc.server.effective", {"uri": uri})
    assert found["soc"] == {"value": "sm8650", "source": "the setting aipc.soc"}
    project = await run(client, "aipc.server.effective", {"uri": uri, "withoutSetting": True})
    assert (project["soc"]["value"], project["fp16"]) == ("qcs6490", "no")
    assert project["soc"]["source"] == "[tool.aipc] in pyproject.toml"
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    assert "Deploy to SM8650" in [lens.command.title for lens in lenses]
    client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"aipc": {}}))
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    assert "Deploy to QCS6490" in [lens.command.title for lens in lenses]
    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\nsok = 1\n")
    assert "unknown key 'sok'" in (await run(client, "aipc.server.effective", {"uri": uri}))["error"]["message"]


async def test_inputs_that_the_author_wrote_are_shown_before_they_are_replaced(client, opened, tmp_path):
    uri = opened()
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.aipc.models.t]\nentry = "model.py:Unknown"\ninputs = { x = "float32[1,3]" }\n')
    before = path.read_text()
    argument = {"model": f"{tmp_path / 'model.py'}:Unknown", "uri": uri, "inputs": {"x": "float32[2,3]"}}
    kept = await run(client, "aipc.server.setInputs", argument)
    assert kept == {"name": "t", "replaces": '{x = "float32[1,3]"}'}
    assert path.read_text() == before
    assert (await run(client, "aipc.server.setInputs", {**argument, "replace": True}))["replaces"] == ""
    assert "float32[2,3]" in path.read_text()
