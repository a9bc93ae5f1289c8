"""Temporary directories and logs of jobs: nothing stays of the dead, nothing is taken from the living."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from aipc.core.job_log import cap_log
from aipc.core.scratch import PREFIX, scratch_directory, sweep

_OWNER = """
import sys
from aipc.core.scratch import scratch_directory
with scratch_directory() as directory:
    (directory / "file").write_text("x")
    print(directory, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_directory_goes_with_its_block(temporary):
    with scratch_directory() as directory:
        assert directory.parent == temporary and directory.name.startswith(PREFIX)
        sweep()
        assert directory.is_dir()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_live_one_has_is_not(temporary):
    owners = [
        subprocess.Popen([sys.executable, "-c", _OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    killed, alive = (Path(owner.stdout.readline().strip()) for owner in owners)
    owners[0].kill()
    owners[0].wait()
    sweep()
    assert not killed.exists() and (alive / "file").is_file()
    owners[1].communicate("")
    assert list(temporary.iterdir()) == []


def test_directories_of_others_with_such_names_are_kept(temporary):
    (temporary / "target").mkdir()
    (temporary / f"{PREFIX}link").symlink_to(temporary / "target")
    (temporary / "aipc-notes").mkdir()
    recent = temporary / "aipc-job-now.log"
    recent.write_text("an error names this log")
    old = temporary / "aipc-job-old.log"
    old.write_text("")
    os.utime(old, (1, 1))
    sweep()
    assert {path.name for path in temporary.iterdir()} == {"target", f"{PREFIX}link", "aipc-notes", recent.name}


def test_a_job_has_a_directory_of_its_own_that_goes_when_it_is_killed(tmp_path, monkeypatch):
    from aipc.core.errors import WorkerCrashedError
    from aipc.core.workers import Limits, WorkerPool

    with WorkerPool(preload=()) as pool:
        place = Path(pool.run("jobs:leave_temporary", {}))
        assert place.parent.name.startswith(PREFIX) and not place.exists()
        note = tmp_path / "place"
        with pytest.raises(WorkerCrashedError):
            pool.run("jobs:leave_temporary", {"hang": str(note)}, limits=Limits(seconds=2))
    assert note.read_text() and not Path(note.read_text()).exists()


def test_a_server_that_lives_is_neither_swept_nor_disturbed():
    from multiprocessing import forkserver, util

    from aipc.core.workers import WorkerPool

    with WorkerPool(preload=()) as pool:
        pool.run("jobs:leave_temporary", {})
        server, directory = forkserver._forkserver._forkserver_pid, Path(util.get_temp_dir())
        os.utime(directory, (1, 1))
        sweep()
        assert directory.is_dir()
        pool.run("jobs:leave_temporary", {})
        assert forkserver._forkserver._forkserver_pid == server


def test_a_server_is_started_again_where_its_directory_was_cleaned_away():
    import shutil
    from multiprocessing import forkserver, util

    from aipc.core.workers import WorkerPool

    with WorkerPool(preload=()) as pool:
        pool.run("jobs:leave_temporary", {})
        shutil.rmtree(util.get_temp_dir())
        os.kill(forkserver._forkserver._forkserver_pid, 9)
        assert pool.run("jobs:leave_temporary", {})


def test_a_log_keeps_its_beginning_and_its_end(tmp_path):
    log = tmp_path / "log"
    log.write_text("short\n")
    cap_log(log, 100_000)
    assert log.read_text() == "short\n"
    with log.open("a") as writer:
        writer.write("first\n" + "x" * 3_000_000 + "\nlast words")
        writer.flush()
        cap_log(log, 100_000)
        writer.write(" and more")
    text = log.read_text()
    assert len(text) < 100_000 and text.startswith("short\nfirst\nxx") and text.endswith("last words and more")
    assert "MiB of this log were left out here" in text


def test_a_server_is_started_where_the_temporary_directory_is_too_deep_for_a_socket(tmp_path):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from aipc.core.workers import WorkerPool\n"
        "with WorkerPool(preload=()) as pool:\n    print(pool.run('jobs:double', {'value': 4}))\n"
        "from multiprocessing import process\nprint(process.current_process()._config['tempdir'])\n"
    )
    environment = {**os.environ, "TMPDIR": str(deep)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("8\n"), done.stderr
    assert not Path(done.stdout.split()[1]).exists()
    assert list(deep.iterdir()) == []
