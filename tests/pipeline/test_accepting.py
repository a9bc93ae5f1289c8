"""What misses its accuracy is taken by the user's word alone, and recorded."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.probes import ProbeResult, ProbeStatus
from aipc.core.types import Gate, OutputAccuracy, StageRecord
from aipc.pipeline.accepting import accept, offer, reached_db
from aipc.pipeline.outcome import Outcome

MODEL = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.relu(self.layer(x))
"""
CONFIGURATION = """
[tool.aipc.models.model]
entry = "model.py:Model"
inputs = "float32[1,3,16,16]"
tolerance = { sqnr_db = 90 }
"""


def missed(value: float | None = 38.0, metric: str = "sqnr_db", stage: str = "verify") -> Outcome:
    record = StageRecord(stage, 1.0, False, Gate(metric, value, 40.0, False, "output y"))
    return Outcome(records=(StageRecord("run", 1.0, False), record), failed=record, stage=stage)


def output(sqnr_db: float = 38.0, nan: int = 0) -> OutputAccuracy:
    return OutputAccuracy("y", 0.99, sqnr_db, 0.1, 0.1, nan=nan)


def probe(sqnr_db: float | None, status: ProbeStatus = ProbeStatus.FAILED) -> ProbeResult:
    return ProbeResult(name="p", title="p", kind="real", status=status, package_sqnr_db=sqnr_db)


def test_the_worst_figure_is_what_is_reached() -> None:
    assert reached_db(missed(), [output(), output(45.0)]) == 38.0
    assert reached_db(missed(), [output()], [probe(31.0), probe(12.0, ProbeStatus.PASSED)]) == 31.0


@pytest.mark.parametrize(
    ("outcome", "outputs", "probes"),
    [
        (missed(19.9), [output(19.9)], []),
        (missed(), [output(nan=1)], []),
        (missed(), [output(), output(math.nan)], []),
        (missed(metric="top_1"), [output()], []),
        (missed(stage="verify capture"), [output()], []),
        (missed(), [output()], [probe(None)]),
        (missed(), [output()], [probe(19.0)]),
        (Outcome(), [output()], []),
    ],
)
def test_what_is_no_matter_of_decibels_is_not_accepted(
    outcome: Outcome, outputs: list[OutputAccuracy], probes: list[ProbeResult]
) -> None:
    assert reached_db(outcome, outputs, probes) is None


def test_the_gate_says_what_was_accepted_or_how_to() -> None:
    passed = accept(missed(), 38.04)
    gate = passed.records[-1].gate
    assert passed.ok and gate is not None and gate.ok and gate.accepted and gate.threshold == 38.0
    assert "38.0 dB instead of 40.0 dB" in gate.detail and "output y" in gate.detail
    offered = offer(missed(), 38.04)
    assert not offered.ok and offered.gate is not None and "--accept" in offered.gate.detail


def test_a_package_is_taken_at_what_it_reached(tmp_path: Path, pool) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    refused = engine.deploy(engine.DeployRequest("model", cwd=tmp_path), pool)
    assert not refused.ok and refused.package is None
    assert "--accept takes the package at" in refused.stages[-1].gate.detail
    report = engine.deploy(engine.DeployRequest("model", cwd=tmp_path, accept=True), pool)
    assert report.ok and report.package
    gate = json.loads((Path(report.package) / "manifest.json").read_text("utf-8"))["gates"]["verify"]
    assert gate["accepted"] and 40 < gate["threshold"] < 90 and "accepted by the user" in gate["detail"]
    assert engine.verify(Path(report.package), pool=pool).ok
