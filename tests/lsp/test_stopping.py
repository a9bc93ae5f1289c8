"""Whatever runs the model's code can be stopped, and the sentence that is said is the true one."""

from __future__ import annotations

import asyncio
import time

import pytest
from lsprotocol import types as lsp

from .conftest import SOURCE, check, run

pytestmark = pytest.mark.asyncio

HANGS = (
    "import time\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        time.sleep(600)\n"
)
HANGS += "    def forward(self, x):\n        return x\n"


async def test_inference_of_inputs_stops_at_its_limit(client, opened, tmp_path):
    argument = {"model": f"{tmp_path / 'model.py'}:Net", "uri": opened(HANGS), "seconds": 0.5}
    error = (await run(client, "aipc.server.infer", argument))["error"]
    assert error["kind"] == "TimeLimitError"
    assert "within 0.5 seconds" in error["message"]


async def test_inference_of_inputs_is_cancelled_by_its_progress(client, opened, tmp_path):
    argument = {"model": f"{tmp_path / 'model.py'}:Net", "uri": opened(HANGS), "workDoneToken": "mine"}
    asked = asyncio.ensure_future(run(client, "aipc.server.infer", argument))
    await asyncio.sleep(1)
    client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams("mine"))
    assert (await asyncio.wait_for(asked, 60))["error"]["kind"] == "CancelledError"


async def test_a_check_that_takes_long_asks_and_stops(client, opened, tmp_path):
    questions = []

    client.protocol.fm.features.pop(lsp.WINDOW_SHOW_MESSAGE_REQUEST)

    @client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    def answer(parameters: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem:
        questions.append(parameters.message)
        return parameters.actions[-1]

    client.workspace_did_change_configuration(
        lsp.DidChangeConfigurationParams({"aipc": {"soc": "sm8650", "check": {"limit": 0.5}}})
    )
    started = time.monotonic()
    report = await asyncio.wait_for(check(client, f"{tmp_path / 'model.py'}:Net", opened(HANGS)), 100)
    assert report["error"]["kind"] == "CancelledError"
    assert questions == ["The check of Net has taken 0.5 s and is not finished."]
    assert time.monotonic() - started < 100


async def test_a_question_that_is_not_answered_stops_nothing(client, opened, tmp_path):
    client.workspace_did_change_configuration(
        lsp.DidChangeConfigurationParams({"aipc": {"soc": "sm8650", "check": {"limit": 0.01}}})
    )
    report = await check(client, f"{tmp_path / 'model.py'}:Tracker", opened())
    assert report["placement"] == {"npu": 2, "cpu": 1, "fails": 0}


async def test_a_syntax_error_is_said_before_that_there_is_no_model(client, opened):
    uri = opened(f"{SOURCE}\ndef broken(:\n")
    error = (await run(client, "aipc.server.models", {"uri": uri}))["error"]
    assert (error["message"], error["range"]["start"]["line"]) == (
        "model.py is not valid Python: invalid syntax",
        len(SOURCE.splitlines()) + 2,
    )
