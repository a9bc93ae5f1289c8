"""Deploy to a device: what it is decides what is compiled, and what is asked of the user."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from aipc import engine
from aipc.commands._tables import deploy_page
from aipc.core.errors import InputError
from aipc.core.hashing import hash_file
from aipc.targets import UnfitError
from aipc.targets._runner import on_cpu, repetitions, speaks
from aipc.targets.base import DeviceError, LostError, Work

from .bench import Bench
from .conftest import MODEL
from .test_ssh import copy


@pytest.fixture
def project(bench: Bench, tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.aipc]\nsoc = "sm8650"\n[tool.aipc.targets."{bench.device.target}"]\n'
        f"python = {json.dumps(sys.executable)}\nsilence = 5\n"
    )
    return tmp_path


def test_a_chip_of_integers_that_only_the_device_names_is_told_with_what_it_needs(bench: Bench, project: Path):
    """Before anything is compiled, although the configuration names a chip with fp16."""
    bench.device.declare("qcs6490")
    try:
        with pytest.raises(InputError) as stopped:
            engine.deploy(engine.DeployRequest("model.py:Small", target=bench.device.target, cwd=project))
    finally:
        bench.device.declare(None)
    assert f"the NPU of qcs6490, the chip of {bench.device.target}, has no fp16" in stopped.value.what
    assert "--calibration" in stopped.value.remedy
    assert not (project / ".aipc" / "packages").exists()


@pytest.mark.slow
def test_with_calibration_data_a_chip_of_integers_gets_integers(bench: Bench, project: Path, monkeypatch):
    monkeypatch.setenv("AIPC_CACHE_DIR", str(project / "cache"))
    bench.device.declare("qcs6490")
    try:
        request = engine.DeployRequest(
            "model.py:Small", target=bench.device.target, cwd=project, calibration="random", use_cache=False
        )
        report = engine.deploy(request)
    finally:
        bench.device.declare(None)
    assert report.ok
    assert (report.soc, report.precision) == ("qcs6490", "w8a16")
    assert report.latency is None, "an x86 computer is no device"


def test_a_device_that_is_another_chip_than_asked_for_names_the_command(bench: Bench, project: Path):
    bench.device.declare("sm8750")
    try:
        with pytest.raises(UnfitError) as stopped:
            engine.deploy(engine.DeployRequest("model.py:Small", soc="sm8650", target=bench.device.target, cwd=project))
    finally:
        bench.device.declare(None)
    command = f"aipc deploy model.py:Small --soc sm8750 --target {bench.device.target}"
    assert stopped.value.remedy == f"compile for this device: {command}"
    assert stopped.value.soc == "sm8750"


@pytest.fixture
def claims_to_be_arm(bench: Bench, tmp_path: Path):
    """The device's Python says that it runs on Arm: then its runner takes the simulator for an NPU and measures."""
    (tmp_path / "sitecustomize.py").write_text('import platform\nplatform.machine = lambda: "aarch64"\n')
    with bench.device.with_environment(PYTHONPATH=str(tmp_path)):
        yield


def test_a_measured_latency_has_the_cpus_beside_it_and_its_repetitions_are_told(
    bench: Bench, project: Path, shared: Path, claims_to_be_arm, monkeypatch
):
    monkeypatch.setenv("AIPC_CACHE_DIR", str(shared / "cache"))
    told: list[tuple[str, float | None]] = []
    request = engine.DeployRequest("model.py:Small", target=bench.device.target, cwd=project)
    report = engine.deploy(request, on_event=lambda event: told.append((event.message, event.fraction)))
    assert report.ok
    cpu = report.latency["cpu"]
    assert report.latency["repetitions"] == cpu["repetitions"] == 10
    assert 0 < cpu["min_ms"] <= cpu["p50_ms"] <= cpu["max_ms"] and cpu["cores"] > 0
    assert ("running 1 of 13", 1 / 13) in told and ("running 13 of 13", 1.0) in told
    assert ("running on the CPU 11 of 11", 1.0) in told
    line = next(str(row) for row in deploy_page(report) if str(row).startswith("latency:"))
    assert f"on the CPU p50 {cpu['p50_ms']:.2f} ms (10 runs" in line
    page = (Path(report.run) / "report.html").read_text()
    assert f"on the CPU p50 {cpu['p50_ms']:.2f} ms" in page
    assert len(list(bench.device.base.glob("models/*/model.onnx"))) == 1
    bench.settled()

    with (project / "pyproject.toml").open("a") as stream:
        stream.write("cpu_baseline = false\n")
    assert "cpu" not in engine.deploy(request).latency


def test_a_failing_cpu_is_told_and_takes_nothing_back_and_a_lost_device_does():
    work = Work(Path(), {"runner": 2}, Path(), Path(), cpu_model=Path("model.onnx"))

    def fails(error: Exception):
        def measure():
            raise error

        return measure

    assert on_cpu(work, fails(DeviceError("the CPU does not run the model: no"))) == {
        "why": "the CPU does not run the model: no"
    }
    with pytest.raises(LostError):
        on_cpu(work, fails(LostError("gone")))


def test_a_single_run_is_not_told_as_one_of_several():
    told: list[str] = []
    for words in ("1 of 1", "2 of 3", "nonsense", "a of b"):
        repetitions(words, lambda words, fraction=None: told.append(words))
    assert told == ["running 2 of 3"]


def test_a_package_whose_runner_is_older_still_runs(bench: Bench, package: Path, tmp_path: Path):
    """It knows neither how to tell its progress nor how to time the CPU, and is not asked to."""
    older = copy(package, tmp_path / "older")
    manifest = json.loads((older / "manifest.json").read_text())
    assert speaks(manifest)
    del manifest["runner"]
    text = (older / "run.py").read_text()
    for option in ("--progress", "--cpu-model"):
        line = next(line for line in text.splitlines(keepends=True) if f'parser.add_argument("{option}"' in line)
        text = text.replace(line, "")
    text = text.replace("arguments.progress", "False").replace("arguments.cpu_model", "None")
    (older / "run.py").write_text(text)
    manifest["files"]["run.py"] = hash_file(older / "run.py")
    (older / "manifest.json").write_text(json.dumps(manifest))
    outcome = bench.run(package=older, profile=False)
    bench.check(outcome)
    assert outcome.error is None, str(outcome.error)
