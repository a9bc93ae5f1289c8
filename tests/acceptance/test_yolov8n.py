"""YOLOv8n on the real picture: every node on the NPU, equal detections, a second deploy from the cache."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .command import Finished, aipc, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def deployed(examples: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    package = tmp_path_factory.mktemp("yolov8n") / "package"
    return aipc("deploy", "yolov8n", "--output", package, "--json", cwd=examples, cache=cache, timeout=500)


def test_every_gate_passes_with_no_node_on_the_cpu(deployed: Finished) -> None:
    assert deployed.status == 0, deployed.stderr
    report = deployed.report
    assert report["ok"] is True
    assert report["placement"]["cpu"] == report["placement"]["fails"] == 0
    (outputs,) = {tuple(output["name"] for output in part) for part in report["accuracy"].values()}
    assert len(outputs) == 1
    for part in report["accuracy"].values():
        assert all(output["cosine"] > 0.999 and output["sqnr_db"] > 40 for output in part)


def test_the_package_finds_what_pytorch_finds(deployed: Finished, examples: Path, cache: Path) -> None:
    package = Path(examples, deployed.report["package"])
    command = [sys.executable, "yolov8n/detect.py", str(package)]
    finished = subprocess.run(
        command, cwd=examples, env=environment(cache), capture_output=True, text=True, timeout=250
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.count("person") == 8, finished.stdout
    assert finished.stdout.count("bus") == 2
    assert finished.stdout.strip().endswith("equal")


def test_a_second_deploy_takes_under_two_seconds(deployed: Finished, examples: Path, cache: Path) -> None:
    package = Path(examples, deployed.report["package"])
    again = aipc("deploy", "yolov8n", "--output", package, "--json", cwd=examples, cache=cache)
    assert again.status == 0, again.stderr
    assert again.seconds < 2
