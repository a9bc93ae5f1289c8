"""What a person reads of a report. Text of models and compilers is shown as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.commands._console import show
from aipc.commands._tables import check_page, deploy_page, place
from aipc.core.types import (
    CheckReport,
    DeployReport,
    Finding,
    Gate,
    OutputAccuracy,
    Position,
    Range,
    Severity,
    StageRecord,
)


@pytest.fixture(autouse=True)
def wide_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(Path(FINDING.range.file).parent)  # paths are shown from there, wherever other tests have gone


FINDING = Finding(
    rule="pad-mode",
    severity=Severity.WARNING,
    message="this [bold]padding[/bold] has no NPU operator",
    range=Range(str(Path.cwd() / "model.py"), Position(25, 17), Position(25, 40)),
    compiler="Pad mode only\n  support constant.",
)


def checked(*findings: Finding) -> CheckReport:
    counts = {"npu": 3, "cpu": len(findings), "fails": 0}
    return CheckReport("small", "sm8650", "fp16", "2.51.0", 4, counts, findings, {}, partitions=2)


def deployed(ok: bool) -> DeployReport:
    gate = Gate("sqnr_db", 66.125, 40.0 if ok else 80.0, ok, "output is 13.9 dB short")
    return DeployReport(
        model="small",
        soc="sm8650",
        precision="fp16",
        target="simulator",
        ok=ok,
        stages=(StageRecord("compile", 3.5, True), StageRecord("verify", 1.25, False, gate)),
        package="packages/small" if ok else None,
        placement={"npu": 4, "cpu": 0, "fails": 0},
        accuracy={"outputs": (OutputAccuracy("scores", 0.9999999, 66.125, 0.49, 1.5, nan=2),)},
        latency=None,
        timings={},
        capsule=None if ok else "runs/capsule",
    )


def test_a_finding_reads_like_a_compilers(capsys: pytest.CaptureFixture[str]) -> None:
    show(*check_page(checked(FINDING)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "small on SM8650 (Snapdragon 8 Gen 3), fp16, QAIRT 2.51.0"
    assert lines[1] == "4 nodes: 3 on the NPU, 1 on the CPU, 0 fail; 2 NPU partitions"
    assert lines[2] == "model.py:25:18 warning [pad-mode] this [bold]padding[/bold] has no NPU operator"
    assert lines[3] == "    QAIRT: Pad mode only support constant."
    assert lines[4] == "1 warning"


def test_counts_are_in_the_plural(capsys: pytest.CaptureFixture[str]) -> None:
    show(*check_page(checked(FINDING, FINDING)))
    assert capsys.readouterr().out.splitlines()[-1] == "2 warnings"


def test_clean(capsys: pytest.CaptureFixture[str]) -> None:
    show(*check_page(checked()))
    assert capsys.readouterr().out.splitlines()[-1] == "no findings"


def test_no_source() -> None:
    assert place(None) == "(no source)"


def test_deploy_shows_stages_accuracy_and_no_made_up_latency(capsys: pytest.CaptureFixture[str]) -> None:
    show(*deploy_page(deployed(True)))
    text = capsys.readouterr().out
    assert "cached" in text
    assert "ok: SQNR 66.1 dB, wanted 40 dB" in text
    assert "scores (2 NaN, 0 inf)" in text
    assert "latency: not measured (no device)" in text
    assert "package: packages/small" in text


def test_deploy_names_the_gate_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    show(*deploy_page(deployed(False)))
    text = capsys.readouterr().out
    assert "FAILED: SQNR 66.1 dB, wanted 80 dB" in text
    assert "failure capsule: runs/capsule" in text
    assert text.splitlines()[-1] == "not passed: verify"
