"""The report is one file, and text from models and compilers cannot become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from aipc.core.types import DeployReport, Finding, Gate, OutputAccuracy, Position, Range, Severity, StageRecord
from aipc.report.html import render

HOSTILE = '<script>alert("x")</script>'


def report(tmp_path: Path) -> DeployReport:
    source = tmp_path / "model.py"
    source.write_text("def forward(x):\n    return tan(x) < 1  # <b>\n")
    place = Range(str(source), Position(2, 11), Position(2, 17))
    finding = Finding("pad-mode", Severity.WARNING, f"message {HOSTILE}", place, f"words {HOSTILE}")
    stages = (
        StageRecord("compile", 1.25, False, None, HOSTILE),
        StageRecord("verify", 0.5, True, Gate("sqnr_db", 66.0, 40.0, True, HOSTILE)),
    )
    accuracy = {"outputs": (OutputAccuracy(HOSTILE, 0.99, float("inf"), 0.0, 0.0),)}
    counts = {"npu": 3, "cpu": 1, "fails": 0}
    return DeployReport(
        HOSTILE, "sm8650", "fp16", "simulator", True, stages, "/p", counts, accuracy, None, {"total": 3.0}, (finding,)
    )


def test_nothing_from_outside_becomes_markup(tmp_path):
    page = render(report(tmp_path))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6


def test_it_refers_to_nothing_outside(tmp_path):
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", render(report(tmp_path)))


def test_the_expression_is_marked_in_its_line(tmp_path):
    assert '<mark class="warning">tan(x)</mark> &lt; 1' in render(report(tmp_path))


def test_a_latency_that_nobody_measured_is_not_shown(tmp_path):
    assert "no device" in render(report(tmp_path))
    measured = replace(report(tmp_path), latency={"p50_ms": 3.21})
    assert "3.21 ms" in render(measured)
