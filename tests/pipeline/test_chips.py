"""One package for several chips: each context verified, the right one taken, another chip refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.core.errors import PackageError, UnknownSoCError
from aipc.pipeline.chips import merge_packages
from aipc.pipeline.package import check_package
from aipc.qairt.soc import get_soc
from aipc.targets.base import Facts
from aipc.targets.contexts import entry_for
from aipc.targets.preflight import preflight


@pytest.fixture(scope="module")
def several(project, pool, deployed):
    return engine.deploy(engine.DeployRequest("model.py:Small", soc="sm8650,SM8750", cwd=project), pool)


def runner(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "run.py", *arguments]
    return subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=120)


def test_every_chip_is_verified_and_the_package_holds_all(several):
    assert several.ok
    assert several.soc == "sm8650,sm8750"
    gates = {record.name: record.gate for record in several.stages if record.gate}
    assert gates["sm8650: verify"].ok
    assert gates["sm8750: verify"].ok
    manifest = check_package(Path(several.package))
    assert [(item["soc"], item["htp_arch"]) for item in manifest["contexts"]] == [("sm8650", 75), ("sm8750", 79)]
    assert {"sm8650/model.onnx", "sm8750/model.onnx", "run.py", "golden/inputs.npz"} <= set(manifest["files"])
    assert "sm8750" not in manifest["other_socs"]


@pytest.mark.parametrize("soc", ["sm8650", "sm8750"])
def test_the_runner_takes_the_context_of_the_chip(several, soc):
    finished = runner(Path(several.package), "--self-test", "--soc", soc, "--json")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["soc"] == soc


def test_another_chip_is_refused_by_runner_preflight_and_entry(several):
    finished = runner(Path(several.package), "--self-test", "--soc", "sm8550")
    assert finished.returncode == 2
    assert "compiled for sm8650 or sm8750 and this device is sm8550" in finished.stderr
    manifest = check_package(Path(several.package))
    assert [item.axis for item in preflight(manifest, Facts(soc="sm8750", htp_arch=79))] == []
    assert {item.axis for item in preflight(manifest, Facts(soc="sm8550", htp_arch=73))} == {"soc", "htp_arch"}
    assert entry_for(manifest, get_soc("sm8750")) == "sm8750/model.onnx"
    with pytest.raises(PackageError, match="sm8650 or sm8750"):
        entry_for(manifest, get_soc("sm8550"))


def test_the_package_of_all_runs_and_verifies_like_any_other(several, pool, tmp_path):
    verified = engine.verify(Path(several.package), pool=pool)
    assert verified.ok
    with np.load(Path(several.package) / "golden" / "outputs.npz") as golden:
        assert set(golden.files) == {"map", "mean"}


def test_packages_of_different_models_are_not_joined(several, deployed, tmp_path):
    other = _renamed(Path(deployed.package), tmp_path / "other")
    with pytest.raises(PackageError, match="sm8650 and sm8750 differ in model"):
        merge_packages({"sm8650": Path(deployed.package), "sm8750": other}, tmp_path / "joined")


def _renamed(package: Path, copy: Path) -> Path:
    shutil.copytree(package, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "model": "another"}))
    return copy


def test_a_chip_that_is_none_is_said_so(project, pool):
    with pytest.raises(UnknownSoCError, match="sm9999"):
        engine.deploy(engine.DeployRequest("model.py:Small", soc="sm8650,sm9999", cwd=project), pool)
