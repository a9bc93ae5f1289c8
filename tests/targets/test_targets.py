"""Targets are found by their names; the simulator tells why it is not available."""

from __future__ import annotations

import numpy as np
import pytest

from aipc.core.errors import AipcError
from aipc.qairt import runtime
from aipc.targets import RunOptions, all_targets, get_target, jobs, run_samples, simulator


def test_the_simulator_is_there_and_says_its_qairt():
    (found,) = get_target("simulator").discover()
    assert found.available
    assert runtime.qairt_version() in found.title


def test_without_qairt_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(simulator, "qairt_version", lambda: None)
    (found,) = get_target("simulator").discover()
    assert not found.available
    assert "pip install" in found.reason


def test_every_target_has_its_own_scheme():
    schemes = [target.scheme for target in all_targets()]
    assert len(schemes) == len(set(schemes)) > 0


def test_an_unknown_target_names_the_known():
    with pytest.raises(AipcError, match=r"targets are .*simulator"):
        get_target("toaster")


def in_this_process(job, **arguments):
    return jobs.execute(lambda event: None, **arguments)


def test_one_further_input_runs_beside_the_first_however_long_it_takes(package, tmp_path):
    golden = package / "golden" / "inputs.npz"
    with np.load(golden) as data:
        np.savez(tmp_path / "other.npz", **{name: -data[name] for name in data.files})
    further = [(tmp_path / "other.npz", tmp_path / f"{name}.npz") for name in ("beside", "late")]
    run_samples(
        in_this_process,
        "simulator",
        package=package,
        samples=[(golden, tmp_path / "first.npz"), (tmp_path / "other.npz", tmp_path / "second.npz")],
        options=RunOptions(further_seconds=0.0, beside=True),
        further=further,
    )
    assert not (tmp_path / "late.npz").exists()
    with np.load(tmp_path / "second.npz") as wanted, np.load(tmp_path / "beside.npz") as found:
        assert all(np.array_equal(wanted[name], found[name]) for name in wanted.files)


def test_what_stops_beside_the_first_input_stops_the_run(package, tmp_path):
    np.savez(tmp_path / "wrong.npz", nothing=np.zeros(1, np.float32))
    with pytest.raises(AipcError, match="nothing"):
        run_samples(
            in_this_process,
            "simulator",
            package=package,
            samples=[(package / "golden" / "inputs.npz", tmp_path / "first.npz")],
            options=RunOptions(beside=True),
            further=[(tmp_path / "wrong.npz", tmp_path / "out.npz")],
        )
