"""A package is data: nothing of it runs here, and it names no target, no directory and no configuration."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aipc import engine
from aipc.core.errors import AipcError, PackageError
from aipc.core.hashing import hash_file
from aipc.targets.device_runner import RUNNER

CODE = "open({marker!r}, 'w').close()\n"


@pytest.fixture
def package(deployed, tmp_path) -> Path:
    return Path(shutil.copytree(deployed.package, tmp_path / "package"))


def edit(package: Path, **values: Any) -> None:
    manifest = json.loads((package / "manifest.json").read_text())
    (package / "manifest.json").write_text(json.dumps(manifest | values))


def rehash(package: Path) -> None:
    """List every file with its hash, as a careful attacker does."""
    names = [path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()]
    edit(
        package, files={name: hash_file(package / name) for name in names if not name.startswith(("manifest", "repo"))}
    )


def test_no_code_of_the_package_runs_nor_of_where_we_stand(package, pool, tmp_path, monkeypatch):
    marker = tmp_path / "it ran"
    here = tmp_path / "here"
    here.mkdir()
    for place in (package, here):
        for name in ("run.py", "numpy.py", "json.py", "onnxruntime.py", "sitecustomize.py"):
            (place / name).write_text(CODE.format(marker=str(marker)))
    rehash(package)
    monkeypatch.chdir(here)
    ran = engine.run_package(package, output=tmp_path / "y.npz", pool=pool)
    assert not marker.exists()
    with np.load(tmp_path / "y.npz") as outputs, np.load(package / "golden" / "outputs.npz") as golden:
        assert all(np.allclose(outputs[name], golden[name], atol=1e-2) for name in golden.files)
    assert engine.verify(package, pool=pool).ok and ran.latency is None
    assert not marker.exists()


def test_the_runner_imports_nothing_that_lies_beside_it(package, tmp_path):
    """As on a device: there the package's copy is what runs."""
    marker = tmp_path / "it ran"
    (package / "argparse.py").write_text(CODE.format(marker=str(marker)))
    finished = subprocess.run([sys.executable, "run.py", "--self-test"], cwd=package, capture_output=True, text=True)
    assert finished.returncode == 2 and "argparse.py is not part of the package" in finished.stderr
    assert not marker.exists()


@pytest.mark.parametrize("capture", ["../../../../precious", "/precious", "..", "."])
def test_no_key_of_a_manifest_deletes_a_directory(package, pool, tmp_path, monkeypatch, capture):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "meta.json").write_text("{")
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path / "cache" / "a"))
    edit(package, capture=capture.replace("/precious", str(precious)) if capture[0] == "/" else capture)
    with pytest.raises(PackageError, match="capture"):
        engine.verify(package, pool=pool)
    assert (precious / "meta.json").exists()


def test_a_package_names_no_target(package, pool, tmp_path):
    edit(package, deployments={"simulator": {}, "ssh:evil.example": {}})
    report = engine.verify_all((package,), pool=pool, cwd=tmp_path)
    assert not report.ok and "ssh:evil.example, which your configuration does not name" in report.errors[str(package)]
    (tmp_path / "pyproject.toml").write_text('[tool.aipc.targets."ssh:evil.example"]\ndirectory = "~/mine"\n')
    assert engine.run_options(package, "ssh:evil.example", cwd=tmp_path).settings == {"directory": "~/mine"}


def test_configuration_that_came_with_a_package_is_not_read(package, tmp_path):
    text = '[tool.aipc.targets."ssh:board"]\npython = "/tmp/evil"\ndirectory = "/home"\n'
    for place in (package, package.parent):
        (place / "pyproject.toml").write_text(text)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "pyproject.toml").write_text("[tool.aipc]\n")
    assert engine.run_options(package, "ssh:board", cwd=mine).settings == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"files": None}, "files"),
        ({"format": 99}, "format 99"),
        ({"outputs": []}, "outputs is empty"),
        ({"self_test_sqnr_db": -100}, "self_test_sqnr_db"),
        ({"inputs": {"x": 1}}, "inputs is not a list"),
        ({"entry": "../../x.onnx"}, "entry"),
    ],
)
def test_a_wrong_manifest_is_a_sentence_here_and_on_a_device(package, pool, tmp_path, values, words):
    edit(package, **values)
    for request in (engine.run_package, engine.verify):
        with pytest.raises(PackageError, match=words):
            request(package, pool=pool)
    finished = runner(package, "--self-test")
    assert finished.returncode == 2
    assert finished.stderr.startswith("run.py: ") and len(finished.stderr.splitlines()) == 1, finished.stderr


def runner(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(RUNNER), "--package", str(package), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("missing", [["map"], ["map", "mean"]])
def test_a_self_test_never_passes_with_something_not_compared(package, missing):
    golden = package / "golden" / "outputs.npz"
    with np.load(golden) as arrays:
        np.savez(golden, **{name: arrays[name] for name in arrays.files if name not in missing})
    rehash(package)
    finished = runner(package, "--self-test")
    assert finished.returncode == 2 and "cannot be compared" in finished.stderr


@pytest.mark.parametrize("threshold", ["-1", "nan", "-inf"])
def test_a_threshold_that_everything_passes_is_refused(package, threshold):
    finished = runner(package, "--self-test", f"--tolerance={threshold}")
    assert finished.returncode == 2 and "which everything passes" in finished.stderr


def test_one_is_the_failed_self_test_and_nothing_else(package):
    assert runner(package, "--self-test", "--tolerance=500").returncode == 1
    assert runner(package, "--no-such-option").returncode == 2
    # A damaged manifest that its checks do not foresee.
    edit(package, soc_names=5)
    finished = runner(package, "--self-test")
    assert finished.returncode == 2 and "the package cannot be run (TypeError" in finished.stderr


def test_nan_and_infinite_inputs_are_reported(package, pool, tmp_path):
    array = np.zeros((1, 3, 16, 16), np.float32)
    array.flat[0], array.flat[1] = np.nan, np.inf
    np.savez(tmp_path / "in.npz", x=array)
    ran = engine.run_package(package, tmp_path / "in.npz", tmp_path / "out.npz", pool=pool)
    assert "input x has 1 NaN and 1 infinite values" in [item["message"] for item in ran.device["warnings"]]
    finished = runner(package, "--input", str(tmp_path / "in.npz"))
    assert "run.py: note: input x has 1 NaN and 1 infinite values" in finished.stderr


def test_unlisted_files_are_refused_by_name(package, pool):
    (package / "extra.bin").write_bytes(b"")
    for request in (engine.run_package, engine.verify):
        with pytest.raises(AipcError, match=r"extra\.bin is not part of the package"):
            request(package, pool=pool)
