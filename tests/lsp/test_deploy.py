"""Deploying from the editor: the command line's report, a run in the list, and each node's error on its line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from .conftest import pull, run
from .test_features import hints_of

pytestmark = pytest.mark.asyncio


async def until(condition, seconds=60.0):
    for _ in range(int(seconds / 0.1)):
        if value := await condition():
            return value
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen")


async def test_deploy_gives_the_report_of_the_command_line_and_lists_the_run(client, opened, tmp_path):
    uri = opened()
    argument = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri, "allowCpu": True}
    report = await run(client, "aipc.server.deploy", argument)
    assert report["ok"], report
    assert report["latency"] is None
    package = tmp_path / ".aipc" / "packages" / "Tracker-sm8650-fp16"
    assert (package / "manifest.json").is_file()

    (listed,) = await run(client, "aipc.server.runs")
    assert (listed["state"], listed["soc"], listed["allow_cpu"]) == ("passed", "sm8650", True)
    assert listed["reference"] == argument["model"]
    assert next(stage["name"] for stage in listed["stages"]) == "capture"
    assert Path(listed["report"]).is_file()

    (shown,) = await run(client, "aipc.server.packages")
    assert shown["directory"] == str(package)
    assert {"run.py", "model.onnx"} <= {file["name"] for file in shown["files"]}

    async def measured():
        labels = await hints_of(client, uri)
        return labels if any("dB" in label or "exact" in label for label in labels.values()) else None

    labels = await until(measured)
    assert labels[8].startswith("CPU 1/1")


QUANTIZED = """\
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 8, 3)
        self.second = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.second(x)

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(1)),)


def samples():
    return [torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(i)) for i in range(12)]
"""


async def test_a_quantized_deployment_tells_at_each_line_what_it_introduces(client, opened, tmp_path):
    uri = opened(QUANTIZED)
    model = {"model": f"{tmp_path / 'model.py'}:Small", "uri": uri}
    argument = {**model, "precision": "w8a8", "calibration": "model.py:samples"}
    report = await run(client, "aipc.server.deploy", argument)
    assert report["ok"], report
    assert report["precision"] == "w8a8"
    assert report["node_accuracy"]["unchanged"] is True

    async def measured():
        labels = await hints_of(client, uri)
        return labels if any("introduces" in label for label in labels.values()) else None

    labels = await until(measured)
    assert {number for number, label in labels.items() if "dB, introduces" in label} == {12, 13}
    at = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(13, 22))
    hover = await client.text_document_hover_async(at)
    assert "| introduces |" in hover.contents.value
    assert "% of the error |" in hover.contents.value
    overlay = await run(client, "aipc.server.overlay", model)
    shares = [node["share"] for node in overlay["nodes"].values() if "share" in node]
    assert max(shares) > 0.3
    assert all({"sqnr_db", "introduced_db", "effect_db"} <= set(node) for node in overlay["nodes"].values())


async def test_a_run_that_a_kill_cut_short_is_listed_as_interrupted(client, opened, tmp_path):
    opened()
    directory = tmp_path / ".aipc" / "runs" / "20260101-000000-abcdef"
    directory.mkdir(parents=True)
    start = '{"time": 1.0, "event": "run started", "model": "Tracker", "soc": "sm8650", "precision": "fp16",'
    start += ' "target": "simulator"}\n{"time": 2.5, "event": "stage started", "stage": "capture"}\n{"time": 3'
    (directory / "journal.jsonl").write_text(start)
    (directory / "running.lock").touch()
    (listed,) = await run(client, "aipc.server.runs")
    assert (listed["state"], listed["seconds"]) == ("interrupted", 1.5)
    assert [stage["name"] for stage in listed["stages"]] == ["capture"]


async def test_cancelling_the_progress_ends_the_deployment(client, opened, tmp_path):
    uri = opened()
    argument = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri, "allowCpu": True, "soc": "sm8550"}
    deployment = asyncio.ensure_future(run(client, "aipc.server.deploy", argument))

    async def begun():
        return next(iter(client.progress_reports), None)

    token = await until(begun)
    client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
    answer = await asyncio.wait_for(deployment, 20)
    assert answer["error"]["kind"] == "CancelledError"
    (listed,) = await run(client, "aipc.server.runs")
    assert listed["state"] == "cancelled"


FORGETFUL = """\
import torch
from torch import nn


class Forgetful(nn.Module):
    def forward(self, größe, keep):
        y = torch.relu(größe)
        if not torch.compiler.is_compiling():
            y = torch.where(keep, y, 0.0)
        return y.mean(1) + keep.sum() * 0

    @staticmethod
    def example_inputs():
        x = torch.rand(2, 12, generator=torch.Generator().manual_seed(1))
        return x, torch.ones(2, 12, dtype=torch.bool)
"""


async def test_a_probe_that_fails_is_shown_on_its_line_with_the_input_in_words(client, opened, tmp_path):
    uri = opened(FORGETFUL)
    report = await run(client, "aipc.server.deploy", {"model": f"{tmp_path / 'model.py'}:Forgetful", "uri": uri})
    assert not report["ok"]
    assert {probe["status"] for probe in report["probes"]} >= {"passed", "failed"}

    async def shown():
        found = await pull(client, uri)
        return [item for item in found.items if item.code == "probe"]

    (diagnostic, *_) = await until(shown)
    assert diagnostic.severity is lsp.DiagnosticSeverity.Error
    assert FORGETFUL.splitlines()[diagnostic.range.start.line].strip() == "return y.mean(1) + keep.sum() * 0"
    assert "a row of `keep` that is all False" in diagnostic.message
