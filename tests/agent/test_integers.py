"""Edits are judged in what is deployed: in integers, with data that the original's loader gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc import engine
from aipc.agent.integers import judged_precision
from aipc.agent.verdicts import Stopped
from aipc.core.errors import InputError

from .conftest import events
from .models import FILE
from .scripted import call, patch

MODEL = """\
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        return y[y > 0].sum().reshape(1, 1) + y.mean((2, 3))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)),)
"""
OLD, NEW = "y[y > 0].sum().reshape(1, 1)", "torch.relu(y).sum().reshape(1, 1)"
DATA = """\
import torch


def samples():
    generator = torch.Generator().manual_seed(5)
    for _ in range(14):
        yield torch.rand(3, 8, 8, generator=generator), 0
"""
SOLVED = patch("sum with a relu", (OLD, NEW))


@pytest.fixture
def integers(project: Path) -> Path:
    (project / FILE).write_text(MODEL)
    (project / "data.py").write_text(DATA)
    return project


def test_what_is_found_by_a_search_is_judged_in_one_precision():
    assert judged_precision("w8a8", "sm8650") == "w8a8"
    assert judged_precision("auto", "sm8650") == "fp16"
    assert judged_precision("auto", "qcs6490") == judged_precision("fp16", "qcs6490") == "w8a16"
    assert judged_precision("mixed", "sm8650") == "w8a16"


def simulated(report) -> list[str]:
    return [gate.words for verdict in report.verdicts for gate in verdict.gates if gate.name == "simulator"]


def test_an_edit_is_judged_in_the_precision_of_the_configuration_on_data_that_did_not_calibrate(integers, run):
    (integers / "pyproject.toml").write_text(
        '[tool.aipc]\nsoc = "sm8650"\n[tool.aipc.models.small]\nentry = "model.py:Model"\nprecision = "w8a8"\n'
        'calibration = "data.py:samples"\n'
    )
    report = run(SOLVED, model="small")
    assert report.stopped is Stopped.SOLVED, report.words
    assert report.precision == "w8a8"
    (words,) = simulated(report)
    assert "for sm8650 in w8a8" in words
    (figures,) = [gate.figures for verdict in report.verdicts for gate in verdict.gates if gate.name == "simulator"]
    assert 20 < min(item.sqnr_db for item in figures) < 60, "integers round more coarsely than fp16"


def test_without_data_the_example_inputs_stand_for_it(integers, run):
    report = run(SOLVED, precision="w8a16")
    assert report.stopped is Stopped.SOLVED, report.words
    assert "in w8a16" in simulated(report)[0]


def test_a_chip_of_integers_is_judged_in_integers(integers, run):
    report = run(SOLVED, soc="qcs6490")
    assert report.stopped is Stopped.SOLVED, report.words
    assert (report.soc, report.precision) == ("qcs6490", "w8a16")


def test_the_model_can_quantize_what_it_has_in_mind(integers, run):
    edits = [{"file": FILE, "old": OLD, "new": NEW}]
    report = run(
        call("quantize"),
        call("quantize", precision="int3"),
        call("quantize", precision="w8a8", edits=edits),
        SOLVED,
        calibration="data.py:samples",
    )
    assert report.stopped is Stopped.SOLVED, report.words
    before, wrong, said = [item["result"] for item in events(report) if item["event"] == "tool"][:3]
    assert before.startswith("it cannot be quantized: ")
    assert wrong == "wrong call: precision is one of w8a16, w8a8, w4a16"
    assert said.startswith("w8a8 for sm8650, ranges from 10 samples of data.py:samples")
    assert "nodes in integers, 0 off the NPU" in said
    assert "on held-out inputs: " in said and "wanted 20 dB" in said
    assert "at the outputs if it were the only one" in said
    assert (integers / FILE).read_text() == MODEL


def test_data_that_cannot_be_read_is_told_to_the_user_not_to_the_model(integers, pool):
    (integers / FILE).write_text(MODEL.replace(OLD, NEW))
    request = engine.AgentRequest(f"{FILE}:Model", cwd=integers, precision="w8a8", calibration="absent")
    with pytest.raises(InputError, match="absent"):
        engine.agent(request, pool, endpoint=object())
