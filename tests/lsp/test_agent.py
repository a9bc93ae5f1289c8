"""The agent over the language server: the editor's own model answers, the result is an edit that needs confirmation."""

from __future__ import annotations

import asyncio
import json

import pytest
from lsprotocol import types as lsp

from agent.models import BRANCH, BRANCH_LINE, FILE, GOOD, MODEL
from aipc.lsp.plain import plain

from .conftest import run


def patch(new: str) -> dict:
    edits = [{"file": FILE, "old": BRANCH, "new": new}]
    return {"calls": [{"id": "1", "name": "try_patch", "arguments": json.dumps({"title": "rewrite", "edits": edits})}]}


def answering(client, *answers):
    """The client's side of ``aipc/llm``; what was asked of it."""
    asked, left = [], list(answers)

    @client.feature("aipc/llm")
    async def answer(params):
        asked.append(params)
        found = left.pop(0)
        return await found() if callable(found) else found

    return asked


@pytest.mark.asyncio
async def test_the_editors_model_answers_and_the_edit_waits_for_confirmation(client, opened, tmp_path):
    uri = opened(MODEL)
    asked = answering(client, patch("        return 2 * x\n"), {**patch(GOOD), "prompt": 90, "completion": 30})
    seen = []
    client.feature("aipc/agent")(lambda params: seen.append((params.kind, params.id)))
    model = f"{tmp_path / FILE}:Model"
    start = {"id": "one", "model": model, "uri": uri, "endpoint": {"kind": "editor"}}
    start["goal"] = {"kind": "finding", "rule": "capture-data-dependent", "line": BRANCH_LINE, "nodes": []}
    answer = await asyncio.wait_for(run(client, "aipc.server.agent.start", start), 280)
    assert "report" in answer, answer
    report, edit = answer["report"], answer["edit"]
    assert report["stopped"] == "solved", report["words"]
    assert report["usage"]["estimated"] > 0
    assert len(asked) == 2
    assert asked[0].messages[0].role == "system"
    assert asked[0].maxTokens > 1000
    assert "REJECTED" in asked[1].messages[-1].content
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    assert {item["annotationId"] for item in change["edits"]} == {"aipc.agent"}
    annotation = edit["changeAnnotations"]["aipc.agent"]
    assert annotation["needsConfirmation"]
    assert "max error" in annotation["description"]
    assert (tmp_path / FILE).read_text("utf-8") == MODEL
    assert {"step", "proposal", "verdict", "done"} <= {kind for kind, _ in seen}
    (known,) = await run(client, "aipc.server.agent.runs", {"uri": uri})
    known = plain(known)
    assert (known["trace"], known["stopped"]) == (report["trace"], "solved")


@pytest.mark.asyncio
async def test_cancelled_while_the_model_thinks_nothing_is_left(client, opened, tmp_path):
    uri = opened(MODEL)
    cancelled = asyncio.Event()
    client.feature("aipc/llmCancel")(lambda params: cancelled.set())

    async def thinks():
        await client.workspace_execute_command_async(
            lsp.ExecuteCommandParams("aipc.server.agent.cancel", [{"id": "two"}])
        )
        await asyncio.wait_for(cancelled.wait(), 30)
        return {"text": "too late"}

    answering(client, thinks)
    start = {"id": "two", "model": f"{tmp_path / FILE}:Model", "uri": uri, "endpoint": {"kind": "editor"}}
    answer = await asyncio.wait_for(run(client, "aipc.server.agent.start", start), 280)
    assert answer["report"]["stopped"] == "cancelled"
    assert answer["edit"] is None
    assert (tmp_path / FILE).read_text("utf-8") == MODEL


@pytest.mark.asyncio
async def test_an_editor_without_a_model_is_told_in_a_sentence(client, opened, tmp_path):
    uri = opened(MODEL)
    answering(client, {"error": {"kind": "no-model", "message": ""}})
    start = {"model": f"{tmp_path / FILE}:Model", "uri": uri, "endpoint": {"kind": "editor"}}
    answer = await asyncio.wait_for(run(client, "aipc.server.agent.start", start), 280)
    assert "the editor has no language model" in answer["error"]["message"]
