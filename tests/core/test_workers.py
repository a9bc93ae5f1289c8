"""Whatever a job does costs that job only, and is told in one sentence."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

import aipc
from aipc.core import workers
from aipc.core.errors import AipcError, CancelledError, ModelLoadError, WorkerCrashedError
from aipc.core.types import Event
from aipc.core.workers import Limits, WorkerPool

SERVER = Path(aipc.__file__).parents[1]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def pool():
    sys.path.insert(0, str(HERE))
    with WorkerPool(preload=()) as pool:
        yield pool
    sys.path.remove(str(HERE))


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_a_job_answers_reports_and_keeps_its_words_in_the_log(pool, tmp_path, capfd):
    events: list[Event] = []
    log = tmp_path / "job.log"
    assert pool.run("jobs:double", {"value": 21}, on_event=events.append, log=log) == 42
    assert [event.message for event in events] == ["half way"]
    assert "to stdout" in log.read_text() and "native words" in log.read_text()
    assert capfd.readouterr().out == ""


def test_every_job_has_a_process_of_its_own_without_the_front_s_main(pool):
    first, second = pool.run("jobs:where", {}), pool.run("jobs:where", {})
    assert first[0] != second[0] != os.getpid()
    assert first[1] == []


def test_typed_errors_come_back_whole(pool):
    with pytest.raises(ModelLoadError, match=r"m\.py:3: no such class — name another"):
        pool.run("jobs:typed_error", {})


def test_other_exceptions_come_back_with_their_traceback_in_the_detail(pool):
    with pytest.raises(AipcError) as info:
        pool.run("jobs:untyped_error", {})
    assert "KeyError" in info.value.what and "Traceback" in info.value.detail


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("segfault", "SIGSEGV"),
        ("leave", "exit status 7"),
        ("exit_politely", r"sys.exit\(3\)"),
        ("one_huge_request", "more memory"),
        ("not_picklable", "pickle"),
    ],
)
def test_a_job_that_breaks_is_told_in_one_sentence_and_the_next_one_runs(pool, job, words):
    with pytest.raises(AipcError, match=words) as info:
        pool.run(f"jobs:{job}", {})
    assert "\n" not in str(info.value)
    assert pool.run("jobs:double", {"value": 1}) == 2


def test_an_endless_job_is_stopped_at_its_time_limit(pool):
    with pytest.raises(WorkerCrashedError, match=r"within 0\.5 seconds"):
        pool.run("jobs:endless", {}, limits=Limits(seconds=0.5))


def test_a_greedy_job_is_stopped_at_its_memory_limit(pool):
    with pytest.raises(WorkerCrashedError, match="more than the limit of 300 MiB"):
        pool.run("jobs:greedy", {}, limits=Limits(seconds=60, memory_mb=300))


def test_cancelling_kills_the_job_and_what_it_started(pool, tmp_path):
    cancel, pid_file = threading.Event(), tmp_path / "pids"

    def cancel_when_started() -> None:
        while not pid_file.exists() or not pid_file.read_text():
            time.sleep(0.02)
        cancel.set()

    threading.Thread(target=cancel_when_started).start()
    with pytest.raises(CancelledError):
        pool.run("jobs:with_child", {"pid_file": str(pid_file)}, cancel=cancel)
    assert all(gone(int(pid)) for pid in pid_file.read_text().split())


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_nothing_outlives_a_front_process_that_is_killed(tmp_path):
    pid_file = tmp_path / "pids"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from aipc.core.workers import WorkerPool\n"
        "WorkerPool(preload=()).run('jobs:with_child', {'pid_file': sys.argv[2]})\n"
    )
    front = subprocess.Popen([sys.executable, "-c", code, str(HERE), str(pid_file)])
    while not pid_file.exists() or not pid_file.read_text():
        time.sleep(0.05)
    pids = [int(pid) for pid in pid_file.read_text().split()]
    front.send_signal(signal.SIGKILL)
    front.wait()
    assert all(gone(pid) for pid in pids)


def test_a_crash_is_told_at_once_and_takes_along_what_the_job_started(pool, tmp_path):
    pid_file, log, began = tmp_path / "pids", tmp_path / "job.log", time.monotonic()
    with pytest.raises(WorkerCrashedError, match="SIGSEGV") as info:
        pool.run("jobs:crash_after_starting_a_child", {"pid_file": str(pid_file)}, log=log)
    assert time.monotonic() - began < 10
    assert str(log) in str(info.value)
    assert all(gone(int(pid)) for pid in pid_file.read_text().split())


def test_a_job_that_reports_without_pause_is_not_above_its_limits(pool):
    with pytest.raises(WorkerCrashedError, match=r"within 0\.5 seconds"):
        pool.run("jobs:talkative", {}, limits=Limits(seconds=0.5))


def test_closing_stdout_harms_nobody(pool):
    assert pool.run("jobs:close_stdout", {}) == "done"


def test_an_error_that_cannot_be_pickled_still_says_its_words(pool):
    with pytest.raises(AipcError, match="odd"):
        pool.run("jobs:unpicklable_typed_error", {})


def test_pytorch_s_allocator_error_is_told_as_memory(pool):
    with pytest.raises(WorkerCrashedError, match="more memory"):
        pool.run("jobs:allocator_error", {})


def test_a_job_sees_the_environment_of_the_moment(pool, monkeypatch):
    monkeypatch.setenv("AIPC_TEST_WORD", "now")
    assert pool.run("jobs:environment", {"name": "AIPC_TEST_WORD"}) == "now"


def test_importing_core_brings_nothing_heavy():
    code = (
        "import sys, aipc.core.workers, aipc.core.cache, aipc.core.config, aipc.core.plain_data\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'numpy', 'cattrs', 'tomlkit', 'psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt")
def test_finished_jobs_leave_no_process_and_no_zombie(pool, capfd):
    from multiprocessing import forkserver

    for _ in range(3):
        pool.run("jobs:double", {"value": 1})
    server = psutil.Process(forkserver._forkserver._forkserver_pid)
    for _ in range(100):
        if not server.children(recursive=True):
            break
        time.sleep(0.05)
    assert server.children(recursive=True) == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("share", "expected"), [("0.5", 0.5), ("2.0", 1.0), ("max", 1.0)])
def test_a_container_s_limit_counts_where_it_is_below_the_machine_s_memory(monkeypatch, tmp_path, share, expected):
    memory = psutil.virtual_memory().total
    limit = tmp_path / "memory.max"
    limit.write_text("max\n" if share == "max" else f"{int(memory * float(share))}\n")
    monkeypatch.setattr(workers, "_CGROUP_MEMORY", limit)
    assert Limits().memory_bytes() == pytest.approx(0.85 * expected * memory, rel=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
class TestWhatAJobLeaves:
    def test_a_job_has_inherited_nothing_that_it_does_not_need(self, pool):
        # stdin, stdout, stderr, the connection, and the one that lists them.
        assert len(pool.run("jobs:descriptors", {})) <= 5
        assert pool.run("jobs:uses_multiprocessing", {}) >= 16

    @pytest.mark.parametrize("crash", [False, True])
    def test_a_daemon_of_the_model_ends_at_the_latest_with_us_and_holds_no_pipe(self, tmp_path, crash):
        code = (
            f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
            "from aipc.core.errors import AipcError\n"
            "from aipc.core.workers import WorkerPool\n"
            "with WorkerPool(preload=()) as pool:\n"
            "    try:\n"
            f"        arguments = {{'pid_file': {str(tmp_path / 'pid')!r}, 'crash': {crash}}}\n"
            "        print(pool.run('jobs:leave_a_daemon', arguments))\n"
            "    except AipcError as error:\n"
            "        print(error)\n"
        )
        command = f"{sys.executable} -c {shlex.quote(code)} 2>&1 | cat"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
        assert ("SIGSEGV" if crash else "1\n") in done.stdout
        assert gone(int((tmp_path / "pid").read_text()))

    def test_a_killed_fork_server_is_started_again_once_and_otherwise_said(self, pool, tmp_path, monkeypatch):
        monkeypatch.setenv("KILLS", "1")
        assert pool.run("jobs:kill_the_fork_server", {"times": str(tmp_path / "once")}) == 2
        monkeypatch.setenv("KILLS", "9")
        with pytest.raises(WorkerCrashedError, match="the process that starts AIPC's jobs was killed"):
            pool.run("jobs:kill_the_fork_server", {"times": str(tmp_path / "again")})
        assert pool.run("jobs:double", {"value": 1}) == 2

    def test_a_client_that_dies_while_we_import_leaves_nothing(self, tmp_path):
        (tmp_path / "slow_import.py").write_text("import time\nfor _ in range(3000):\n    time.sleep(0.01)\n")
        code = (
            "from aipc.core.workers import WorkerPool\nimport time\n"
            "pool = WorkerPool(preload=('slow_import',))\npool.warm()\nprint('warming', flush=True)\ntime.sleep(60)\n"
        )
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        front = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
        assert front.stdout is not None
        assert front.stdout.readline() == b"warming\n"
        for _ in range(100):
            if len(started := psutil.Process(front.pid).children(recursive=True)) >= 2:
                break
            time.sleep(0.05)
        time.sleep(0.5)
        front.kill()
        front.wait()
        front.stdout.close()
        _, alive = psutil.wait_procs(started, timeout=2)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


_FILL = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from aipc.core.workers import WorkerPool
from aipc.core.errors import StorageError
if sys.argv[3] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    with WorkerPool(preload=()) as pool:
        pool.run("jobs:fill_the_disk", {"how": sys.argv[2]})
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits, and a file system in memory")
@pytest.mark.parametrize(
    ("how", "kind"), [("itself", "limit"), ("itself", "disk"), ("library", "disk"), ("crash", "disk")]
)
def test_a_full_disk_in_a_job_is_said_with_the_place_and_what_is_free(tmp_path, how, kind):
    mounted = kind == "disk" and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], stderr=subprocess.DEVNULL
    )
    if kind == "disk" and not mounted:
        pytest.skip("only root can mount a small disk")
    try:
        command = [sys.executable, "-c", _FILL, str(HERE), how, kind]
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    reason = "the disk is full (0.0 MB are free)" if mounted else "a file may not grow larger ("
    assert done.stdout.startswith(f"cannot write to {tmp_path}") and reason in done.stdout, (done.stdout, done.stderr)
    assert "free some space" in done.stdout


STANDARD = ("signal", "random", "json", "statistics", "queue", "types", "selectors", "pickle", "tempfile", "socket")


@pytest.fixture
def hostile(tmp_path):
    """A working directory with a file for many a module of the standard library."""
    directory = tmp_path / "hostile"
    directory.mkdir()
    for name in STANDARD:
        (directory / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    yield directory
    assert not (tmp_path / "ran").exists()


def test_jobs_take_no_file_of_the_working_directory_for_a_library(hostile, tmp_path):
    (tmp_path / "front.py").write_text(
        f"import sys\nsys.path.insert(0, {str(HERE)!r})\nfrom aipc.core.workers import WorkerPool\n"
        "with WorkerPool(preload=()) as pool:\n    print(pool.run('jobs:import_path', {}))\n"
    )
    command = [sys.executable, str(tmp_path / "front.py")]
    done = subprocess.run(command, cwd=hostile, capture_output=True, text=True, timeout=60)
    assert "/lib/python" in done.stdout, done.stderr


def _pythons() -> list[str]:
    """This Python, and a Python 3.10 where there is one: that does not know PYTHONSAFEPATH."""
    others = [shutil.which("python3.10"), *map(str, Path.home().glob(".pyenv/versions/3.10*/bin/python"))]
    works = [
        python for python in others if python and not subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL)
    ]
    return [sys.executable, *works[:1]]


@pytest.mark.parametrize("python", _pythons(), ids=lambda python: Path(python).parent.parent.name)
def test_no_file_that_is_called_like_the_standard_library_runs_in_processes_of_ours(python, tmp_path):
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in sys.stdlib_module_names:
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name + ' '!r})\n")
    (tmp_path / "front.py").write_text(
        f"import sys\nsys.path[:0] = [{str(HERE)!r}, {str(SERVER)!r}]\nfrom aipc.core.workers import WorkerPool\n"
        "with WorkerPool(preload=()) as pool:\n    print(pool.run('jobs:import_path', {}))\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [python, str(tmp_path / "front.py")]
    done = subprocess.run(command, cwd=hostile, env=environment, capture_output=True, text=True, timeout=60)
    assert "/lib/python" in done.stdout, done.stderr
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


@pytest.mark.parametrize("command", ["aipc", "-m aipc", "-m aipc.lsp"])
def test_commands_take_no_file_of_the_working_directory_for_a_library(hostile, command):
    # Python's own -m imports it before anything of ours.
    (hostile / "types.py").unlink()
    start = [str(Path(sys.executable).with_name("aipc"))] if command == "aipc" else [sys.executable, *command.split()]
    arguments = [] if command.endswith("lsp") else ["doctor"]
    done = subprocess.run(
        [*start, *arguments], cwd=hostile, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert command.endswith("lsp") or "Python" in done.stdout


@pytest.mark.parametrize("job", ["answer_that_runs", "answer_that_imports"])
def test_what_a_job_sends_is_read_as_data(pool, tmp_path, job):
    arguments = {"marker": str(tmp_path / "ran")} if job == "answer_that_runs" else {}
    with pytest.raises(AipcError, match="cannot be read"):
        pool.run(f"jobs:{job}", arguments)
    assert not (tmp_path / "ran").exists()


def test_every_type_that_a_job_may_answer_can_be_read():
    import numpy as np

    from aipc.core._messages import dumps, loads

    value = {"a": (np.float64(1.5), np.int64(3), np.bool_(True)), "b": {1, 2}, "c": [Path("/a"), Event("s", "m")]}
    read = loads(dumps(value))
    assert read == {"a": (1.5, 3, True), "b": {1, 2}, "c": [Path("/a"), Event("s", "m")]}
    assert [type(item) for item in read["a"]] == [float, int, bool]
