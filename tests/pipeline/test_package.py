"""A package that is damaged, incomplete or for another chip is refused before it runs, by us and by its runner."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aipc.core.errors import PackageError
from aipc.core.hashing import hash_file
from aipc.pipeline.package import check_package


@pytest.fixture
def package(deployed, tmp_path) -> Path:
    return Path(shutil.copytree(deployed.package, tmp_path / "moved here"))


def runner(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "run.py", *arguments]
    return subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=120)


def test_a_moved_package_tests_itself(package):
    finished = runner(package, "--self-test", "--json")
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert report["self_test"]["passed"]
    assert report["latency"] is None, "this machine is no device"


def test_a_flipped_byte_is_refused(package):
    binary = next(package.glob("*.bin"))
    content = bytearray(binary.read_bytes())
    content[len(content) // 2] ^= 1
    binary.write_bytes(content)
    with pytest.raises(PackageError, match="damaged"):
        check_package(package)
    finished = runner(package, "--self-test")
    assert finished.returncode == 2
    assert finished.stderr.strip() == f"run.py: {binary.name} is damaged: copy the package again"


def test_a_missing_file_is_named(package):
    (package / "golden" / "inputs.npz").unlink()
    with pytest.raises(PackageError, match=r"inputs\.npz is missing"):
        check_package(package)
    assert runner(package, "--self-test").returncode == 2


def test_another_chip_and_another_qairt_are_refused(package):
    finished = runner(package, "--soc", "sm8750")
    assert finished.returncode == 2
    assert "compiled for sm8650 and this device is sm8750" in finished.stderr
    manifest = json.loads((package / "manifest.json").read_text())
    (package / "manifest.json").write_text(json.dumps(manifest | {"qairt": "99.1.0"}))
    finished = runner(package, "--self-test")
    assert finished.returncode == 2
    assert "99.1.0" in finished.stderr


def test_wrong_golden_outputs_fail_the_self_test(package):
    golden = package / "golden" / "outputs.npz"
    with np.load(golden) as arrays:
        np.savez(golden, **{name: arrays[name] + 1 for name in arrays.files})
    manifest = json.loads((package / "manifest.json").read_text())
    manifest["files"]["golden/outputs.npz"] = hash_file(golden)
    (package / "manifest.json").write_text(json.dumps(manifest))
    assert runner(package, "--self-test").returncode == 1


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"z": np.zeros((1, 3, 16, 16), np.float32)}, "has no array 'x'"),
        ({"x": np.zeros((1, 3, 8, 8), np.float32)}, "takes float32[1, 3, 16, 16]"),
        ({"x": np.zeros((1, 3, 16, 16), np.float64)}, "is float64"),
    ],
)
def test_inputs_that_do_not_fit_are_told(package, tmp_path, arrays, words):
    np.savez(tmp_path / "in.npz", **arrays)
    finished = runner(package, "--input", str(tmp_path / "in.npz"))
    assert finished.returncode == 2
    assert words in finished.stderr


def test_what_is_no_package_is_said_so(tmp_path):
    with pytest.raises(PackageError, match="is not a package"):
        check_package(tmp_path)
    with pytest.raises(PackageError, match=r"there is no package .*moved"):
        check_package(tmp_path / "moved")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(PackageError, match="damaged"):
        check_package(tmp_path)
