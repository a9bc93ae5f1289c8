"""What runs inside a worker process: redirect, run the one job, answer, leave."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ._descendants import adopt_orphans, kill_descendants
from ._messages import dumps
from ._paths import spawning_environment
from .disk import full_disk
from .errors import AipcError, MissingDependencyError, QairtError, StorageError, WorkerCrashedError
from .types import Event

_PR_SET_PDEATHSIG = 1
_MOST_DESCRIPTORS = 4096
_LONGEST_PATH = 1000
_ENGINE = frozenset({"numpy", "onnx", "onnx_ir", "onnxruntime", "onnxruntime_qnn", "onnxscript", "torch"})


def serve(
    connection: Connection,
    life: Connection,
    job: str,
    arguments: dict[str, Any],
    log: str,
    path: list[str],
    environment: dict[str, str],
) -> None:
    """Entry point of the child process. ``life`` ends with the front process, or with this job."""
    _keep_only(connection.fileno(), life.fileno())
    if hasattr(os, "setsid"):
        with suppress(OSError):
            os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_front(life)
    _redirect(log)
    _be_the_first_to_go()
    if sys.platform == "linux":
        adopt_orphans()
    # A fork server keeps the environment that it was started in; the front's may have changed since.
    for name in spawning_environment().keys() - environment.keys():
        os.environ.pop(name, None)
    os.environ.update(environment)
    tempfile.tempdir = None  # the job has a directory of its own for temporary files
    sys.path[:] = path
    # OpenMP's threads do not survive a fork: a child that used them would hang.
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    lock = threading.Lock()

    def send(kind: str, value: Any) -> None:
        message = dumps((kind, value))
        with lock:
            connection.send_bytes(message)

    def send_error(error: AipcError) -> None:
        if not error.detail:
            error.detail = traceback.format_exc()
        try:
            send("error", error)
        except Exception:
            # The error carries something that cannot be pickled: its words are what matters.
            send("error", AipcError(str(error), detail=str(error.detail)))

    def report(event: Event) -> None:
        send("event", event)

    try:
        module, _, function = job.partition(":")
        result = getattr(importlib.import_module(module), function)(report, **arguments)
        send("result", result)
    except AipcError as error:
        # What a compiler or a writer says of a full disk is not that it is full.
        full = full_disk(error, places_of(arguments)) if isinstance(error, (QairtError, StorageError)) else None
        send_error(full or error)
    except ModuleNotFoundError as error:
        missing = (error.name or str(error)).partition(".")[0]
        remedy = "run pip install 'aipc[engine]'" if missing in _ENGINE else f"run pip install {missing}"
        send_error(MissingDependencyError(f"{missing} is not installed in {sys.executable}", remedy=remedy))
    except SystemExit as error:
        send_error(AipcError(f"the model's code called sys.exit({error.code!r})", remedy="remove that call"))
    except BaseException as error:
        if full := full_disk(error, places_of(arguments)):
            send_error(full)
        elif _is_out_of_memory(error):
            send_error(
                WorkerCrashedError(
                    "the job asked for more memory than this machine has",
                    remedy="use smaller inputs or a machine with more memory",
                )
            )
        else:
            text = f"{type(error).__name__}: {_first_line(error)}"
            send_error(AipcError(text, remedy="--debug shows where; if that is in aipc, report it"))
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        connection.close()
        # A daemon that the model has started would hold what it has inherited open.
        kill_descendants()
        # User code may have left threads or atexit handlers that never end.
        os._exit(0)


def _keep_only(*descriptors: int) -> None:
    """Close what the fork server has open: a process that a job leaves running must not keep it, or us, waiting."""
    if sys.platform == "win32":
        return
    from multiprocessing import resource_tracker

    first = 3
    for descriptor in (*sorted(descriptors), _MOST_DESCRIPTORS):
        os.closerange(first, descriptor)
        first = descriptor + 1
    # Its pipe is closed: what of the author's needs a tracker starts one of its own.
    tracker: Any = resource_tracker._resource_tracker
    tracker._fd = tracker._pid = None


def places_of(arguments: Mapping[str, Any]) -> tuple[Path, ...]:
    """The directories that a job was given."""
    texts = [value for value in arguments.values() if isinstance(value, str) and len(value) < _LONGEST_PATH]
    return tuple(path for text in texts if (path := Path(text)).is_absolute())


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"


def _redirect(log: str) -> None:
    """Point file descriptors 0, 1 and 2 away from the front's terminal, also for native code."""
    sys.stdout.flush()
    sys.stderr.flush()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.close(nothing)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def _is_out_of_memory(error: BaseException) -> bool:
    # PyTorch's allocator raises a RuntimeError with these words instead of a MemoryError.
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def _be_the_first_to_go() -> None:
    """Where the machine runs out of memory, let the kernel take this job and not the front process."""
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


def _die_with_front(life: Connection) -> None:
    """End this job and all that it started when the front process is gone, even by kill -9."""
    if sys.platform == "win32":
        threading.Thread(target=_exit_at_end_of, args=(life,), daemon=True).start()
        return
    if sys.platform == "linux":
        # The parent is the fork server, which itself ends when the front process does.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _start_guard(life.fileno())
    life.close()


def _exit_at_end_of(life: Connection) -> None:
    with suppress(EOFError, OSError):
        life.recv_bytes()
    os._exit(1)


def _start_guard(life: int) -> None:
    """Fork a process outside this group that kills the group once ``life`` ends.

    A thread could not: native code may hold the interpreter's lock for ever, and the death signal takes this
    process but none that it started. The guard is forked twice, so that it is no child of the
    job; the fork server adopts it (see _fork_server).
    """
    group = os.getpid()
    if middle := os.fork():
        os.waitpid(middle, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, life)
            os.closerange(life + 1, _MOST_DESCRIPTORS)
            while os.read(life, 1):
                pass
            os.killpg(group, signal.SIGKILL)
    finally:
        os._exit(0)
