"""Workers: one job, one process, thrown away afterwards.

The front process stays light. On Linux and macOS, multiprocessing's fork server imports the heavy libraries
once; each job is a fork of it, ready in milliseconds. Elsewhere a process is spawned.

Architecture invariant: whatever happens in a job (segmentation fault, endless loop, out of memory,
``os._exit``) costs that job and nothing else, and cancelling is killing.
"""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._messages import loads
from ._paths import FIRST_CODE, FORK_SERVER_LOG, authors_path, spawning_environment
from .disk import full_disk
from .errors import AipcError, CancelledError, StorageError, TimeLimitError, WorkerCrashedError
from .job_log import cap_log
from .jobs import AnyJob, Job
from .scratch import scratch_directory, sweep_memory, sweep_once
from .types import Event

if TYPE_CHECKING:
    import psutil

R = TypeVar("R")

_POLL_SECONDS = 0.1
_MEMORY_POLL_SECONDS = 0.1
_LOG_TAIL = 4000
_LOST = 255
"""What multiprocessing says of a process whose fork server is gone."""
_MOST_SOCKET_BYTES = 60
"""Of the directory: 103 at most are a socket's name on macOS, and multiprocessing adds up to 36."""
_CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use: wall-clock seconds and resident memory of its process group in MiB."""

    seconds: float = 1800.0
    memory_mb: int = 0
    """0 means 85 % of the machine's memory."""

    def memory_bytes(self) -> int:
        if self.memory_mb:
            return self.memory_mb << 20
        psutil = _psutil()
        if psutil is None:
            return sys.maxsize
        total: int = psutil.virtual_memory().total
        # In a container the control group's limit is what counts; the file says "max" where there is none.
        with suppress(OSError, ValueError):
            total = min(total, int(_CGROUP_MEMORY.read_text()))
        return int(total * 0.85)


class WorkerPool:
    """Runs jobs (see :class:`core.jobs.Job`) in processes of their own.

    A job is ``def job(report: Callable[[Event], None], **arguments) -> result``; arguments and result are
    pickled. Safe to use from several threads.

    Args:
        preload: modules that the fork server imports before the first job.
        limits: for every job that brings none of its own.
    """

    def __init__(self, preload: tuple[str, ...] = ("aipc.capture.warm",), limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        self._context = multiprocessing.get_context(method)
        if method == "forkserver":
            self._context.set_forkserver_preload(["aipc.core._fork_server", *preload, "aipc.core._fork_server_ready"])
        self._warming: threading.Thread | None = None

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._warming:
            self._warming.join()

    def warm(self) -> None:
        """Start importing the heavy libraries now, in the background."""
        if self._warming is None and self._context.get_start_method() == "forkserver":
            from multiprocessing import forkserver

            self._warming = threading.Thread(target=_with_own_main(forkserver.ensure_running), daemon=True)
            self._warming.start()

    @overload
    def run(
        self,
        job: Job[R],
        arguments: Mapping[str, Any],
        *,
        on_event: Callable[[Event], None] | None = None,
        limits: Limits | None = None,
        log: Path | None = None,
        cancel: threading.Event | None = None,
    ) -> R: ...

    @overload
    def run(
        self,
        job: AnyJob | str,
        arguments: Mapping[str, Any],
        *,
        on_event: Callable[[Event], None] | None = None,
        limits: Limits | None = None,
        log: Path | None = None,
        cancel: threading.Event | None = None,
    ) -> Any: ...

    def run(
        self,
        job: AnyJob | str,
        arguments: Mapping[str, Any],
        *,
        on_event: Callable[[Event], None] | None = None,
        limits: Limits | None = None,
        log: Path | None = None,
        cancel: threading.Event | None = None,
    ) -> Any:
        """Run one job to its end.

        Args:
            log: where the job's stdout and stderr go, the native ones included. A temporary file when None.

        Raises:
            AipcError: what the job raised; anything else it raised comes wrapped, traceback in ``detail``.
            WorkerCrashedError: the process died or exceeded its limits.
            CancelledError: ``cancel`` was set, or Ctrl-C pressed.
        """
        from ._worker import places_of

        sweep_once()
        temporary = None
        if log is None:
            descriptor, temporary = tempfile.mkstemp(prefix="aipc-job-", suffix=".log")
            os.close(descriptor)
            log = Path(temporary)
        target = job if isinstance(job, str) else job.target
        call = partial(self._run, target, arguments, on_event, limits or self.limits, log, cancel)
        try:
            with scratch_directory() as scratch:
                try:
                    return call(scratch)
                except ForkServerLostError:
                    return call(scratch)
                except WorkerCrashedError as error:
                    # Files that are mapped into memory end a process where the disk has no page for them.
                    if full := full_disk(error, places_of(arguments)):
                        raise full from error
                    raise
        except WorkerCrashedError:
            temporary = None  # the message names this log
            raise
        finally:
            if temporary:
                Path(temporary).unlink(missing_ok=True)

    def _run(
        self,
        job: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
        limits: Limits,
        log: Path,
        cancel: threading.Event | None,
        scratch: Path,
    ) -> Any:
        from ._worker import serve

        if self._warming:
            self._warming.join()
        ours, theirs = self._context.Pipe()
        # Never written to: the job's guard sees its end when we close it or die.
        life_theirs, life = self._context.Pipe(duplex=False)
        process = self._context.Process(  # type: ignore[attr-defined]
            target=serve,
            args=(
                theirs,
                life_theirs,
                job,
                dict(arguments),
                str(log),
                authors_path(),
                {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))},
            ),
            name=f"aipc {job}",
            daemon=False,
        )
        try:
            _start(process, log)
            theirs.close()
            life_theirs.close()
            kind, value = _converse(ours, process, on_event, limits, log, cancel, job)
        except KeyboardInterrupt:
            raise CancelledError("interrupted") from None
        except (EOFError, ConnectionError, BrokenPipeError) as error:
            raise ForkServerLostError(log) from error
        except WorkerCrashedError as error:
            if process.exitcode == _LOST and _fork_server_ended():
                raise ForkServerLostError(log) from error
            raise
        finally:
            _kill_group(process)
            sweep_memory()
            for end in (ours, theirs, life_theirs, life):
                end.close()
        if kind == "error":
            raise value
        return value


_MAIN_LOCK = threading.Lock()


def _with_own_main(start: Callable[[], Any]) -> Callable[[], None]:
    """Call ``start`` without telling the child what our ``__main__`` is.

    multiprocessing imports the parent's main module again in every child; ours is a command line or a
    server, and a job needs neither.
    """

    def call() -> None:
        with _MAIN_LOCK, _safe_environment():
            _provide_socket_directory()
            main = sys.modules["__main__"]
            saved: dict[str, Any] = {
                name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__
            }
            main.__spec__ = None
            try:
                start()
            finally:
                main.__dict__.update(saved)

    return call


def _start(process: Any, log: Path) -> None:
    """Start a job's process.

    Raises:
        ForkServerLostError: the server's socket is gone; the server is ended, so that another is started.
    """
    try:
        _with_own_main(process.start)()
    except FileNotFoundError as error:
        _end_fork_server()
        raise ForkServerLostError(log) from error


def _end_fork_server() -> None:
    from multiprocessing import forkserver

    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        _fork_server_ended()


def _provide_socket_directory() -> None:
    """multiprocessing's own temporary directory: again where somebody cleaned it away while this process lived, and
    elsewhere where the system's is too deep for the name of a socket.

    Raises:
        StorageError: it cannot be made.
    """
    config = multiprocessing.process.current_process()._config  # type: ignore[attr-defined]
    directory = config.get("tempdir")
    try:
        if directory and not Path(directory).is_dir():
            Path(directory).mkdir(mode=0o700, parents=True)
        elif not directory and os.name == "posix" and len(os.fsencode(tempfile.gettempdir())) > _MOST_SOCKET_BYTES:
            config["tempdir"] = tempfile.mkdtemp(prefix="pymp-", dir="/tmp")
            atexit.register(shutil.rmtree, config["tempdir"], ignore_errors=True)
    except OSError as error:
        raise StorageError(
            f"a directory for sockets cannot be made: {error}", remedy="set TMPDIR to a short path that can be written"
        ) from error


@contextmanager
def _safe_environment() -> Iterator[None]:
    """Within the block, Python is started without the working directory on its path, and what it says goes to a log."""
    from multiprocessing import util

    changed = {**spawning_environment(), FORK_SERVER_LOG: _fork_server_log()}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    flags: Any = util._args_from_interpreter_flags  # type: ignore[attr-defined]
    if sys.version_info < (3, 11):
        util._args_from_interpreter_flags = lambda: [*flags(), "-c", FIRST_CODE]
    try:
        yield
    finally:
        util._args_from_interpreter_flags = flags  # type: ignore[attr-defined]
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@lru_cache(maxsize=1)
def _fork_server_log() -> str:
    descriptor, name = tempfile.mkstemp(prefix="aipc-fork-server-", suffix=".log")
    os.close(descriptor)
    atexit.register(Path(name).unlink, missing_ok=True)
    return name


def _fork_server_ended() -> bool:
    """Whether the fork server has ended; it stays for multiprocessing to reap."""
    from multiprocessing import forkserver

    server: Any = forkserver._forkserver
    if server._forkserver_pid is None or not hasattr(os, "waitid"):
        return False
    # Its pipes close a moment before it counts as ended.
    for _ in range(20):
        try:
            if os.waitid(os.P_PID, server._forkserver_pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
        except ChildProcessError:
            return True
        time.sleep(0.02)
    return False


class ForkServerLostError(WorkerCrashedError):
    """The process that starts the jobs was killed, and the job with it."""

    def __init__(self, log: Path) -> None:
        super().__init__(
            "the process that starts AIPC's jobs was killed, and once more after it had been started again",
            remedy="look for what kills it: most often the machine has too little memory",
            detail=f"{_tail(Path(_fork_server_log()))}\n{_tail(log)}".strip(),
        )


def _converse(
    ours: multiprocessing.connection.Connection,
    process: Any,
    on_event: Callable[[Event], None] | None,
    limits: Limits,
    log: Path,
    cancel: threading.Event | None,
    job: str,
) -> tuple[str, Any]:
    """Take messages until the result, the process's end, a limit, or the cancellation."""
    deadline = time.monotonic() + limits.seconds
    memory_limit, next_look = limits.memory_bytes(), 0.0
    while True:
        # The process's own end is watched too: what it started may hold its end of the pipe open.
        ready = multiprocessing.connection.wait([ours, process.sentinel], _POLL_SECONDS)
        if ready and (ours in ready or ours.poll()):
            try:
                message = ours.recv_bytes()
            except (EOFError, OSError):
                process.join(5)
                raise _crashed(process.exitcode, log, job) from None
            kind, value = _unpickled(message, job)
            if kind != "event":
                return kind, value
            if on_event:
                on_event(value)
        elif ready:
            process.join(5)
            raise _crashed(process.exitcode, log, job)
        # Also after an event: a job that reports without pause is not above its limits.
        if cancel and cancel.is_set():
            raise CancelledError("cancelled")
        now = time.monotonic()
        if now > deadline:
            raise TimeLimitError(
                f"{_title(job)} did not finish within {limits.seconds:g} seconds and was stopped",
                remedy="look for an endless loop in the model, or raise the limit with --timeout",
                detail=_tail(log),
            )
        if now > next_look:
            next_look = now + _MEMORY_POLL_SECONDS
            cap_log(log)
            used = _group_memory(process.pid)
            if used > memory_limit:
                raise WorkerCrashedError(
                    f"{_title(job)} used {used >> 20} MiB of memory, more than the limit of "
                    f"{memory_limit >> 20} MiB, and was stopped",
                    remedy="use smaller inputs or a machine with more memory",
                    detail=_tail(log),
                )


def _unpickled(message: bytes, job: str) -> tuple[str, Any]:
    try:
        kind, value = loads(message)
    except Exception as error:
        raise AipcError(
            f"the answer of the {_title(job)} cannot be read here ({type(error).__name__})",
            remedy="report this as a defect, with the output of --debug",
            detail=f"{error}",
        ) from error
    return kind, value


def _title(job: str) -> str:
    return job.rpartition(":")[2].replace("_", " ") + " step"


def _crashed(exitcode: int | None, log: Path, job: str) -> WorkerCrashedError:
    if exitcode is not None and exitcode < 0:
        try:
            name = signal.Signals(-exitcode).name
        except ValueError:
            name = f"signal {-exitcode}"
        meaning = {
            "SIGSEGV": "a segmentation fault",
            "SIGKILL": "it was killed, most likely because the machine ran out of memory",
            "SIGABRT": "native code aborted",
        }.get(name, "a signal")
        what = f"the process of the {_title(job)} died with {name} ({meaning})"
    else:
        what = f"the process of the {_title(job)} ended by itself with exit status {exitcode}"
    return WorkerCrashedError(
        what,
        remedy=f"the model's own code or a native library did this; its last words are in {log}",
        detail=_tail(log),
    )


def _tail(log: Path) -> str:
    try:
        return log.read_text("utf-8", "replace")[-_LOG_TAIL:]
    except OSError:
        return ""


def _psutil() -> Any:
    """psutil where it is installed. It is native code, so an editor's bundle cannot bring it: without it memory is
    not limited, and a job's children are found by their process group alone."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil


def _processes(pid: int) -> Iterator[psutil.Process]:
    psutil = _psutil()
    if psutil is None:
        return
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        yield process
        yield from process.children(recursive=True)


def _group_memory(pid: int) -> int:
    total = 0
    for process in _processes(pid):
        with suppress(Exception):  # it ended meanwhile
            total += process.memory_info().rss
    return total


def _kill_group(process: Any) -> None:
    """End the job's process and all that it started, whether or not it is still alive."""
    if process.pid is None:
        return
    if hasattr(os, "killpg"):
        # The child is the leader of its own group (see _worker.serve); until it is, kill only itself.
        # What outlives a leader that is already gone is the guard's to kill.
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
    for child in list(_processes(process.pid)):
        with suppress(Exception):
            child.kill()
    process.kill()
    process.join(10)


@contextmanager
def pool_or_new(pool: WorkerPool | None) -> Iterator[WorkerPool]:
    """The pool that was given, or one for the time of the block."""
    if pool is not None:
        yield pool
        return
    with WorkerPool() as own:
        yield own
