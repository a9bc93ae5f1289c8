"""What runs inside a worker process: redirect, run the one job, answer, leave."""

from __future__ import annotations

import ctypes
import importlib
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from .errors import AipcError, WorkerCrashedError
from .types import Event

_PR_SET_PDEATHSIG = 1


def serve(
    connection: Connection, job: str, arguments: dict[str, Any], log: str, front: int, path: list[str]
) -> None:
    """Entry point of the child process."""
    if hasattr(os, "setsid"):
        with suppress(OSError):
            os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(front)
    _redirect(log)
    sys.path[:] = path
    # OpenMP's threads do not survive a fork: a child that used them would hang.
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    lock = threading.Lock()

    def send(kind: str, value: Any) -> None:
        with lock:
            connection.send((kind, value))

    def report(event: Event) -> None:
        send("event", event)

    try:
        module, _, function = job.partition(":")
        result = getattr(importlib.import_module(module), function)(report, **arguments)
        pickle.dumps(result)
    except AipcError as error:
        send("error", error)
    except MemoryError:
        send(
            "error",
            WorkerCrashedError(
                "the job asked for more memory than this machine has",
                remedy="use smaller inputs or a machine with more memory",
                detail=traceback.format_exc(),
            ),
        )
    except SystemExit as error:
        send("error", AipcError(f"the model's code called sys.exit({error.code!r})", remedy="remove that call"))
    except BaseException as error:
        send("error", AipcError(f"{type(error).__name__}: {_first_line(error)}", detail=traceback.format_exc()))
    else:
        send("result", result)
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        connection.close()
        # User code may have left threads or atexit handlers that never end.
        os._exit(0)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"


def _redirect(log: str) -> None:
    """Point file descriptors 0, 1 and 2 away from the front's terminal, below Python and native code alike."""
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


def _die_with(front: int) -> None:
    """End this process group when the front process is gone, even by kill -9."""
    if sys.platform == "linux":
        # The parent is the fork server, which itself ends when the front process does.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        import psutil

        while psutil.pid_exists(front):
            time.sleep(0.5)
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="aipc-watch-front").start()
