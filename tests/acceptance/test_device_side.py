"""A package runs where only onnxruntime, onnxruntime-qnn and numpy are installed."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from .command import aipc, environment
from .conftest import ROOT
from .test_resume import project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    directory = project(tmp_path_factory.mktemp("device") / "project")
    deployed = aipc("deploy", "small", "--json", cwd=directory, cache=cache)
    assert deployed.status == 0, deployed.stderr
    return Path(directory, deployed.report["package"])


@pytest.fixture(scope="module")
def device_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("device-environment")
    venv.create(directory, with_pip=True)
    python = directory / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install(python, "onnxruntime", "onnxruntime-qnn", "numpy")
    return python


def install(python: Path, *packages: str) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(command, check=True, timeout=400)


def test_the_runner_tests_itself(package: Path, device_python: Path) -> None:
    command = [device_python, "run.py", "--self-test"]
    finished = subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_self_test_fails_when_golden_outputs_differ(package: Path, device_python: Path, tmp_path: Path) -> None:
    import shutil

    damaged = tmp_path / "damaged"
    shutil.copytree(package, damaged)
    golden = next(path for path in (damaged / "golden").iterdir() if "output" in path.name)
    with np.load(golden) as arrays:
        np.savez(golden, **{name: arrays[name] + 1 for name in arrays.files})
    command = [device_python, "run.py", "--self-test"]
    finished = subprocess.run(command, cwd=damaged, capture_output=True, text=True, timeout=120)
    assert finished.returncode != 0


def test_aipc_run_needs_no_pytorch(package: Path, device_python: Path, tmp_path: Path, cache: Path) -> None:
    install(device_python, str(ROOT))
    golden = next(path for path in (package / "golden").iterdir() if "input" in path.name)
    received = tmp_path / "outputs.npz"
    command = [device_python, "-m", "aipc", "run", package, "--input", golden, "--output", received, "--json"]
    finished = subprocess.run(
        command, cwd=tmp_path, env=environment(cache), capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    with np.load(received) as outputs:
        assert all(np.isfinite(outputs[name]).all() for name in outputs.files)
