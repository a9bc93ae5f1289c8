"""Searching for a precision and correcting one, with the real compiler and simulator, where one layer is hostile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.types import DeployReport, Severity
from aipc.core.workers import WorkerPool
from aipc.pipeline.journal import read_journal

EXAMPLE = Path(__file__).parents[2] / "examples" / "outlier-channel" / "model.py"
CONFIGURATION = """\
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.outlier]
entry = "model.py:Outlier"
inputs = "model.py:example_inputs"
calibration = "model.py:samples"
calibration_count = 8
metric = "metric.py:agreement"
tolerance = { sqnr_db = 25 }
"""
METRIC = """\
def agreement(references, outputs):
    same = [(r["output"].argmax(1) == o["output"].argmax(1)).mean() for r, o in zip(references, outputs)]
    return sum(same) / len(same)
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hostile")
    shutil.copyfile(EXAMPLE, directory / "model.py")
    (directory / "metric.py").write_text(METRIC)
    (directory / "pyproject.toml").write_text(CONFIGURATION)
    return directory


@pytest.fixture(scope="module")
def chosen(hostile: Path, pool: WorkerPool, own_cache: None) -> DeployReport:
    return engine.deploy(engine.DeployRequest("outlier", precision="auto", cwd=hostile), pool)


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(EXAMPLE.read_text().splitlines(), 1) if text in line)


def test_auto_keeps_exactly_the_hostile_layer_higher_and_passes(chosen: DeployReport) -> None:
    assert chosen.ok
    assert chosen.precision == "mixed"
    taken = chosen.frontier.candidate(chosen.frontier.chosen)
    assert len(taken.higher) == 2, "a convolution and its Relu are one layer"
    assert any("energy" in name for name in taken.higher)
    assert taken.measure == "the worst layer in 16 bits"
    assert taken.sqnr_db > 25
    failed = chosen.frontier.candidate("w8a8")
    assert not failed.ok
    assert failed.sqnr_db < 10
    assert taken.wide_nodes < chosen.frontier.candidate("w8a16").wide_nodes


def test_the_hostile_layer_is_named_at_its_line_with_its_channel(chosen: DeployReport) -> None:
    (finding,) = [item for item in chosen.findings if item.rule == "quantization-error"]
    assert finding.range.start.line == line_of("self.energy(x)")
    assert finding.severity is Severity.INFORMATION
    assert "Channel 3" in finding.message
    assert "Deploy keeps it at 16 bits" in finding.message
    assert finding.evidence["share"] > 0.9


def test_every_node_has_its_error_and_nothing_changed_by_reading(chosen: DeployReport) -> None:
    found = chosen.node_accuracy
    assert found.unchanged is True
    lines = {error.line for error in found.nodes.values()}
    assert line_of("self.energy(x)") in lines
    assert len(found.nodes) == 5
    assert max(error.share for error in found.nodes.values()) < 0.6, "no layer dominates any more"


def test_the_frontier_is_in_the_reports_with_its_metric(chosen: DeployReport) -> None:
    assert chosen.frontier.metric_name == "agreement"
    assert chosen.metric["agreement"] > 0.9
    page = (Path(chosen.run) / "report.html").read_text()
    assert '<svg class="plot"' in page
    assert "Where the error comes from" in page
    plain = json.loads((Path(chosen.package) / "report.json").read_text())
    assert [item["label"] for item in plain["frontier"]["tried"]][:3] == ["w8a8", "w8a16", "fp16"]
    manifest = json.loads((Path(chosen.package) / "manifest.json").read_text())
    assert manifest["precision"] == "mixed"


def test_a_search_that_is_done_again_comes_from_the_cache(
    chosen: DeployReport, hostile: Path, pool: WorkerPool
) -> None:
    again = engine.deploy(engine.DeployRequest("outlier", precision="auto", cwd=hostile), pool)
    assert all(record.cached for record in again.stages)
    assert again.frontier.chosen == chosen.frontier.chosen
    labels = [[item.label for item in report.frontier.tried] for report in (chosen, again)]
    assert labels[0] == labels[1]


def test_a_gate_that_fails_is_corrected_and_every_try_is_in_the_journal(hostile: Path, pool: WorkerPool) -> None:
    report = engine.deploy(engine.DeployRequest("outlier", soc="qcs6490", precision="w8a8", cwd=hostile), pool)
    assert report.ok
    assert report.frontier.chosen == "w8a8 equalized", "no layer needs 16 bits for it"
    tries = [event for event in read_journal(Path(report.run)) if event["event"] == "corrective"]
    assert [event["candidate"]["label"] for event in tries] == [item.label for item in report.frontier.tried[1:]]
    assert [(item.name, item.helped) for item in report.remedies] == [("equalize-channels", True)]
    assert all(event["candidate"]["sqnr_db"] is not None for event in tries)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_what_no_measure_cures_stops_at_the_line_that_is_left(hostile: Path, pool: WorkerPool) -> None:
    text = (hostile / "pyproject.toml").read_text()
    (hostile / "pyproject.toml").write_text(text.replace("sqnr_db = 25", "sqnr_db = 70"))
    try:
        report = engine.deploy(engine.DeployRequest("outlier", soc="qcs6490", precision="mixed", cwd=hostile), pool)
    finally:
        (hostile / "pyproject.toml").write_text(text)
    assert not report.ok
    assert report.frontier.chosen is None
    warnings = [item for item in report.findings if item.rule == "quantization-error"]
    assert warnings
    assert all(item.severity is Severity.WARNING and item.range for item in warnings)
    assert any("only 8 samples calibrated" in note for note in report.frontier.notes)
