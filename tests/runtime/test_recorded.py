"""Live inputs that the runner records: off by default, within a quota; replayed at home, where a drift is a finding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.commands._recorded import recorded_page
from aipc.core.errors import InputError
from aipc.core.types import Severity


def inputs(path: Path, scale: float = 1.0, seed: int = 7) -> Path:
    """An input as the calibration's, times ``scale``."""
    rng = np.random.default_rng(seed)
    image = rng.random((1, 3, 8, 8), np.float32) * np.float32(scale)
    np.savez(path, image=image, offset=rng.random((1, 4, 1, 1), np.float32))
    return path


def run(package: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(package / "run.py"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, cwd=package.parent
    )


@pytest.fixture(scope="module")
def usual(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of two inputs as those of the calibration."""
    folder = tmp_path_factory.mktemp("usual")
    more = inputs(folder / "b.npz", seed=8)
    arguments = ("--input", inputs(folder / "a.npz"), "--more", more, folder / "b.out.npz")
    done = run(package, *arguments, "--record", folder / "recorded", "--json")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 runs were recorded" in json.loads(done.stdout)["notes"][-1]
    return folder / "recorded"


def test_inputs_as_calibrated_are_no_finding(package: Path, usual: Path) -> None:
    report = engine.verify_recorded(package, usual)
    assert report.ok and report.findings == () and (report.runs, len(report.samples)) == (2, 2)
    assert report.reference == "PyTorch"
    for sample in report.samples:
        assert sample.sqnr_db > 25
        assert sample.recorded_sqnr_db == sample.sqnr_db, "the device was this simulator"
    assert all(item.used is not None and item.used > 0.2 and item.clipped < 0.01 for item in report.inputs)


def test_a_drifted_input_is_a_finding_and_the_other_input_is_none(package: Path, tmp_path: Path) -> None:
    """Pictures of 0 to 255 where the package was calibrated with 0 to 1."""
    done = run(package, "--input", inputs(tmp_path / "a.npz", 255.0), "--record", tmp_path / "recorded")
    assert done.returncode == 0, done.stderr
    report = engine.verify_recorded(package, tmp_path / "recorded")
    assert not report.ok
    assert [item.name for item in report.inputs if item.drifted] == ["image"]
    drift, accuracy = report.findings
    assert (drift.rule, drift.severity) == ("input-drift", Severity.WARNING)
    assert drift.message.startswith("Input image is clipped: 9")
    assert accuracy.rule == "recorded-accuracy" and report.samples[0].sqnr_db < 10
    page = "\n".join(str(part) for part in recorded_page(report))
    assert "not as calibrated" in page


def test_an_input_that_uses_little_of_its_range_has_drifted_too(package: Path, tmp_path: Path) -> None:
    """Pictures divided by 255 twice. Only ranges are kept, no picture."""
    picture = inputs(tmp_path / "a.npz", 1 / 255)
    done = run(package, "--input", picture, "--record", tmp_path / "recorded", "--record-ranges")
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "recorded").rglob("*.npz"))
    report = engine.verify_recorded(package, tmp_path / "recorded")
    assert report.samples == () and [item.rule for item in report.findings] == ["input-drift"]
    assert "of the calibrated range" in report.findings[0].message
    command = [sys.executable, "-m", "aipc", "verify", str(package), "--recorded", str(tmp_path / "recorded")]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert printed.returncode == 1, printed.stderr
    assert "runs recorded: 1" in printed.stdout and "[input-drift]" in printed.stdout


def test_nothing_is_recorded_unless_asked_nor_where_it_is_switched_off(package: Path, tmp_path: Path) -> None:
    before = sorted(package.rglob("*"))
    picture = inputs(tmp_path / "a.npz")
    assert run(package, "--input", picture).returncode == 0
    switched_off = run(package, "--input", picture, "--record", tmp_path / "recorded", AIPC_NO_RECORDING="1")
    assert switched_off.returncode == 0
    assert sorted(package.rglob("*")) == before and not (tmp_path / "recorded").exists()


def test_the_quota_is_kept(package: Path, tmp_path: Path) -> None:
    """Room for the counts and for one sample of some 3 kB with its outputs."""
    more = [text for n in range(4) for text in ("--more", str(inputs(tmp_path / f"{n}.npz")), str(tmp_path / "o.npz"))]
    options = ("--record", tmp_path / "recorded", "--record-quota", "0.009")
    assert run(package, "--input", inputs(tmp_path / "a.npz"), *more, *options).returncode == 0
    files = [path for path in (tmp_path / "recorded").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 9000
    assert len([path for path in files if path.parent.name == "outputs"]) == 1
    (counts,) = [path for path in files if path.suffix == ".json"]
    assert json.loads(counts.read_text())["runs"] == 5


def test_a_canary_stops_a_package_that_answers_otherwise_than_when_it_was_verified(
    package: Path, tmp_path: Path
) -> None:
    from aipc.core.hashing import hash_file

    picture = inputs(tmp_path / "a.npz")
    assert run(package, "--canary", "--input", picture, "--output", tmp_path / "o.npz").returncode == 0
    other = tmp_path / "package"
    shutil.copytree(package, other)
    golden = other / "golden" / "outputs.npz"
    with np.load(golden) as arrays:
        wrong = {name: arrays[name] + 1 for name in arrays.files}
    np.savez(golden, **wrong)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["files"]["golden/outputs.npz"] = hash_file(golden)
    (other / "manifest.json").write_text(json.dumps(manifest))
    done = run(other, "--canary", "--input", picture, "--output", tmp_path / "p.npz")
    assert done.returncode == 1 and "the golden inputs are answered wrongly" in done.stderr
    assert not (tmp_path / "p.npz").exists()


def test_a_recording_of_another_package_is_refused(package: Path, usual: Path, tmp_path: Path) -> None:
    shutil.copytree(usual, tmp_path / "recorded")
    (counts,) = (tmp_path / "recorded").glob("*.json")
    counts.write_text(counts.read_text().replace(json.loads(counts.read_text())["package"], "0" * 64))
    with pytest.raises(InputError, match="recorded with another package"):
        engine.verify_recorded(package, tmp_path / "recorded")
    with pytest.raises(InputError, match="has no recording"):
        engine.verify_recorded(package, tmp_path)
