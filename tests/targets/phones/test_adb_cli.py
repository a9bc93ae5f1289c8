"""`aipc deploy --target adb:` from the command line to the report, and verified again later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SIZE, small_model


@pytest.fixture
def project(phone, tmp_path: Path) -> Path:
    small_model(tmp_path / "small.onnx")
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.aipc]\nsoc = "sm8650"\ntarget = "{phone.name}"\n'
        f'[tool.aipc.models.small]\nentry = "small.onnx"\ninputs = {{ x = "float32[1,3,{SIZE},{SIZE}]" }}\n'
        f'[tool.aipc.targets."{phone.name}"]\ndirectory = {json.dumps(str(phone.phone.storage / "cli"))}\n'
    )
    return tmp_path


def aipc(project: Path, *arguments: str) -> tuple[int, dict, str]:
    finished = subprocess.run(
        [sys.executable, "-m", "aipc", *arguments, "--json"],
        cwd=project,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
    )
    return finished.returncode, json.loads(finished.stdout), finished.stderr


@pytest.mark.timeout(600)
def test_deploy_runs_on_the_phone_and_verify_says_what_changed(phone, project):
    status, report, words = aipc(project, "deploy", "small", "--setup")
    assert status == 0, words
    assert report["target"] == phone.name
    assert report["latency"]["measured_by"] == "qnn-net-run"
    assert report["latency"]["repetitions"] == 10
    assert all(float(output["sqnr_db"]) > 40 for output in report["accuracy"]["outputs"])
    assert report["device"]["profile"]["measured_on"] == "device"
    assert report["device"]["facts"]["soc"] == "sm8650"
    assert "push" in words

    phone.phone.set_property("ro.build.version.release", "16")
    status, verified, words = aipc(project, "verify", report["package"], "--target", phone.name)
    assert status == 0, words
    assert verified["ok"]
    assert any("Android 15" in change and "Android 16" in change for change in verified["changed"])
    assert phone.settled() == []
