"""kill -9 in every stage, then the same command again: it resumes and the package is the same."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from .command import aipc, command, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MODEL = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 8, 3)).eval()


def example_inputs():
    torch.manual_seed(1)
    return (torch.randn(1, 3, 32, 32),)
"""
CONFIGURATION = """
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.small]
entry = "model.py:build"
inputs = "model.py:example_inputs"
"""


def project(directory: Path) -> Path:
    directory.mkdir()
    (directory / "model.py").write_text(MODEL)
    (directory / "pyproject.toml").write_text(CONFIGURATION)
    return directory


def contents(package: Path) -> dict[str, str]:
    """Hashes of what runs on the device: the graph, the context binary, the golden vectors."""
    files = [path for path in package.rglob("*") if path.suffix in {".onnx", ".bin", ".npz", ".raw"}]
    assert files, f"nothing in {package}"
    return {str(path.relative_to(package)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def left_behind(cache: Path) -> list[psutil.Process]:
    """Processes that still work for the command that used this cache."""

    def ours(process: psutil.Process) -> bool:
        try:
            return process.environ().get("AIPC_CACHE_DIR") == os.fspath(cache)
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if ours(process)]


def moments(report: dict[str, Any], total: float) -> dict[str, float]:
    """Seconds after the start of the command at which each stage is about half done."""
    stages = [(stage["name"], stage["seconds"]) for stage in report["stages"]]
    elapsed = max(total - sum(seconds for _, seconds in stages), 0.0)
    found = {}
    for name, seconds in stages:
        found[name] = elapsed + seconds / 2
        elapsed += seconds
    return found


def test_a_killed_deploy_resumes(tmp_path: Path) -> None:
    reference = project(tmp_path / "reference")
    clean = aipc("deploy", "small", "--json", cwd=reference, cache=tmp_path / "clean")
    assert clean.status == 0, clean.stderr
    expected = contents(Path(reference, clean.report["package"]))
    for number, (stage, moment) in enumerate(moments(clean.report, clean.seconds).items()):
        again, cache = project(tmp_path / f"killed-{number}"), tmp_path / f"cache-{number}"
        process = subprocess.Popen(
            command("deploy", "small", "--json"),
            cwd=again,
            env=environment(cache),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 10
        while left_behind(cache) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left_behind(cache), f"workers survive a kill in {stage}"
        resumed = aipc("deploy", "small", "--json", cwd=again, cache=cache)
        assert resumed.status == 0, (stage, resumed.stderr)
        assert contents(Path(again, resumed.report["package"])) == expected, f"differs after a kill in {stage}"


def test_an_identical_deploy_is_answered_from_the_cache(tmp_path: Path) -> None:
    directory, cache = project(tmp_path / "project"), tmp_path / "cache"
    first = aipc("deploy", "small", "--json", cwd=directory, cache=cache)
    assert first.status == 0, first.stderr
    (directory / "unrelated.txt").write_text("touched")
    second = aipc("deploy", "small", "--json", cwd=directory, cache=cache)
    assert second.status == 0, second.stderr
    assert all(stage["cached"] for stage in second.report["stages"] if stage["name"] != "report")
    assert second.seconds < 2
