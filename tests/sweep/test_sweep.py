"""Sweeps of real deployments: what is finished is never done again, whatever was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from aipc.core.errors import InputError
from aipc.core.sweeps import Cell, CellState
from aipc.core.workers import WorkerPool
from aipc.engine.sweep import SweepRequest, read_sweep, run_sweep
from aipc.engine.sweep.store import Store

from .project import write_project

PLACE = "sweep"


def request(project: Path, **options: Any) -> SweepRequest:
    return SweepRequest(cwd=project, directory=Path(PLACE), **options)


def test_finished_cells_are_kept_and_what_failed_can_be_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    write_project(project, ("one",), 'socs = ["sm8650", "qcs6490"]\nkeep_packages = false', wrong=("branch",))
    store = Store(project / PLACE)
    with WorkerPool() as pool:
        report = run_sweep(request(project), pool)
        states = {item.cell.name: item.state for item in report.cells}
        assert states == {
            "one-sm8650-fp16": CellState.VERIFIED,
            "one-qcs6490-fp16": CellState.NOT_APPLICABLE,
            "branch-sm8650-fp16": CellState.FAILED,
            "branch-qcs6490-fp16": CellState.NOT_APPLICABLE,
        }
        assert report.done and not report.ok
        one, branch = (item for item in report.cells if item.cell.soc == "sm8650")
        assert one.sqnr_db and one.sqnr_db > 40 and one.seconds > 0 and one.peak_memory_mb and one.peak_memory_mb > 50
        assert one.report and (store.directory / one.report).is_file() and one.package is None
        assert branch.stage == "capture" and branch.message.startswith("capture: ") and "values" in branch.message
        assert not list((project / ".aipc").glob("packages/*"))
        assert read_sweep(PLACE, project) == report
        page = (store.directory / "index.html").read_text("utf-8")
        assert "one" in page and "not applicable" in page

        events = store.events()
        again = run_sweep(request(project, resume=True), pool)
        assert again == report and store.events() == events
        with pytest.raises(InputError):
            run_sweep(request(project, resume=True, models=("other",)), pool)

        write_project(project, ("one", "branch"), 'socs = ["sm8650", "qcs6490"]')
        fixed = run_sweep(request(project, resume=True, retry=True, models=("branch",)), pool)
        assert fixed.ok
    begun = [event["cell"] for event in store.events()[len(events) :] if event["event"] == "cell started"]
    assert begun == ["branch-sm8650-fp16"]


def test_a_cell_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path / "cache"))
    write_project(tmp_path, ("one",), "cell_seconds = 0.3")
    with WorkerPool() as pool:
        report = run_sweep(request(tmp_path), pool)
    (cell,) = report.cells
    assert cell.state is CellState.TIMEOUT
    assert cell.message.startswith("the deployment took longer than 0.3 s")
    assert report.done and not report.ok


NAMES = tuple(f"model_{index}" for index in range(8))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_on_dask_nothing_is_done_twice_or_lost_when_a_worker_and_the_sweep_are_killed(tmp_path: Path) -> None:
    write_project(tmp_path, NAMES)
    store = Store(tmp_path / PLACE)
    sweep = begin(tmp_path)
    try:
        wait_for(lambda: len(done(store)) >= 1, sweep)
        # A Dask worker that is in the middle of a cell.
        worker = wait_for(lambda: next(iter(set(running(store).values())), None), sweep)
        os.kill(worker, signal.SIGKILL)
        killed_at = len(done(store))
        wait_for(lambda: len(done(store)) >= killed_at + 2, sweep)
    finally:
        os.kill(sweep.pid, signal.SIGKILL)
        sweep.wait()
    wait_for(lambda: not processes_of(tmp_path))
    before = done(store)
    assert 3 <= len(before) < len(NAMES), "the kill came in the middle"
    finished = {name: (store.cell(cell_of(name)) / "result.json").read_bytes() for name in before}

    resumed = begin(tmp_path, "--resume")
    stdout, stderr = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, stderr
    document = json.loads(stdout)
    assert document["ok"] and document["done"]
    assert sorted(item["cell"]["model"] for item in document["cells"]) == sorted(NAMES)
    assert Counter(event["cell"] for event in store.events() if event["event"] == "cell done") == dict.fromkeys(
        (cell_of(name).name for name in NAMES), 1
    )
    for name, content in finished.items():
        assert (store.cell(cell_of(name)) / "result.json").read_bytes() == content
    for name in NAMES:
        kinds = [event["event"] for event in store.events() if event["cell"] == cell_of(name).name]
        assert kinds[-1] == "cell done", f"{name} was begun after it was done"


def begin(project: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "aipc", "sweep", "--workers", "2", "--output", PLACE, "--json", *options],
        cwd=project,
        env={**os.environ, "AIPC_CACHE_DIR": str(project / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def cell_of(model: str) -> Cell:
    return Cell(model=model, soc="sm8650", precision="fp16")


def done(store: Store) -> list[str]:
    return [name for name in NAMES if store.result(cell_of(name))]


def running(store: Store) -> dict[str, int]:
    """Cells that were begun and are not done, with the process that runs them."""
    found: dict[str, int] = {}
    for event in store.events():
        if event["event"] == "cell started":
            found[str(event["cell"])] = int(str(event["worker"]).rpartition(":")[2])
        else:
            found.pop(str(event["cell"]), None)
    return found


def processes_of(project: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIPC_CACHE_DIR") == str(project / "cache"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str] | None = None, seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert process is None or process.poll() is None, process.communicate() if process else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value
