"""The job that runs another job on patched code, in a process that can do nothing but compute.

The process is a fork of the worker without its connection to the front: what it wrote as JSON and arrays is all that
comes out of it, and none of that is unpickled. It has no network, starts no program, writes into its own directory
only, reads the project and the installed libraries only, and knows no secret of the environment.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aipc.core import errors
from aipc.core.errors import AipcError, WorkerCrashedError
from aipc.core.plain_data import to_plain
from aipc.core.types import Event, Range

from .restrict import restrict
from .watchman import Watchman

Report = Callable[[Event], None]

_RESULT, _SEEN = "result.json", "seen.jsonl"
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/opt",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/passwd",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
)
_CACHES = (".cache/torch/hub", ".cache/huggingface/hub")
_KEPT = ("PATH", "HOME", "LANG", "LC_", "PYTHON", "LD_LIBRARY", "OMP_", "MKL_", "TORCH", "XDG_CACHE", "VIRTUAL_ENV")
FILE_BYTES = 4 << 30


def run(
    report: Report,
    *,
    job: str,
    arguments: Mapping[str, Any],
    readable: Sequence[str],
    writable: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """Run ``job`` confined. Answers ``{"result": plain data, "seen": what it tried, "enforced": by what}``.

    Raises:
        AipcError: what the job raised.
        WorkerCrashedError: the process ended by itself or did not end in time; ``detail`` holds what it tried.
    """
    with tempfile.TemporaryDirectory(prefix="aipc-confined-") as home:
        folder = Path(home)
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            try:
                _child(job, arguments, folder, readable, writable, seconds)
            finally:
                os._exit(70)
        status = _wait(pid, started + seconds)
        return _answer(folder, status, seconds)


def _child(
    job: str,
    arguments: Mapping[str, Any],
    folder: Path,
    readable: Sequence[str],
    writable: Sequence[str],
    seconds: float,
) -> None:
    # The connection to the front goes first: nothing of the job may speak to it.
    os.closerange(3, 4096)
    descriptor = os.open(folder / _SEEN, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    scratch = folder / "tmp"
    scratch.mkdir()
    _environment(scratch)
    _limits(seconds)
    module, _, function = job.partition(":")
    target = getattr(importlib.import_module(module), function)
    allowed = open_places(readable)
    writes = [str(folder), *writable]
    watchman = Watchman(descriptor, writes)
    watchman.ready(restrict([*allowed, *writes], writes))
    try:
        document: dict[str, Any] = {"result": to_plain(target(lambda event: None, **arguments))}
    except AipcError as error:
        document = {"error": _plain_error(error)}
    except SystemExit as error:
        document = {"error": _named("ModelLoadError", f"the code called sys.exit({error.code!r})")}
    except BaseException as error:
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
        document = {"error": _named("AipcError", reason)}
    with (folder / _RESULT).open("w", encoding="utf-8") as stream:
        json.dump(document, stream, default=str)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def open_places(readable: Sequence[str]) -> list[str]:
    """What confined code may read: ``readable``, the installed libraries, their caches and what a system shows all."""
    home = Path.home()
    libraries = [path for path in sys.path if path and not _holds_the_user(path)] + [sys.prefix, sys.base_prefix]
    return [*_SYSTEM, *(str(home / item) for item in _CACHES), *libraries, *readable]


def environment_without_secrets() -> dict[str, str]:
    """The variables that computing needs: no key, token or password of the user's."""
    return {name: value for name, value in os.environ.items() if name.startswith(_KEPT) and "TOKEN" not in name}


def _holds_the_user(path: str) -> bool:
    """Whether a folder of the import path is also where the user's files lie: ``PYTHONPATH=~`` opens nobody's keys."""
    folder = Path(path).resolve()
    return any(folder in (place, *place.parents) for place in (Path.home(), Path(tempfile.gettempdir()).resolve()))


def _environment(scratch: Path) -> None:
    variables = environment_without_secrets()
    os.environ.clear()
    os.environ.update(variables, TMPDIR=str(scratch), HF_HUB_OFFLINE="1", YOLO_OFFLINE="1", AIPC_CONFINED="1")
    os.environ.update(TORCHINDUCTOR_CACHE_DIR=str(scratch), TRITON_CACHE_DIR=str(scratch))
    tempfile.tempdir = str(scratch)


def _limits(seconds: float) -> None:
    for what, value in (
        (resource.RLIMIT_CPU, int(seconds * 4) + 1),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (value, value))


def _wait(pid: int, deadline: float) -> int | None:
    """The process's status, None when it had to be stopped."""
    pause = 0.005
    while time.monotonic() < deadline:
        finished, status = os.waitpid(pid, os.WNOHANG)
        if finished:
            return status
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _answer(folder: Path, status: int | None, seconds: float) -> dict[str, Any]:
    events = _read_events(folder)
    trace = json.dumps(events)
    if status is None:
        raise WorkerCrashedError(
            f"the code did not finish within {seconds:g} seconds and was stopped",
            remedy="look for an endless loop",
            detail=trace,
        )
    try:
        document = json.loads((folder / _RESULT).read_text("utf-8"))
    except (OSError, ValueError):
        code = os.waitstatus_to_exitcode(status)
        reason = f"exit status {code}" if code >= 0 else signal.Signals(-code).name
        raise WorkerCrashedError(
            f"the code ended its process by itself ({reason})", remedy="remove what ends it", detail=trace
        ) from None
    if error := document.get("error"):
        raise _rebuilt(error, trace)
    enforced: list[str] = next((item["enforced"] for item in events if "enforced" in item), [])
    tries = [item["tried"] for item in events if "tried" in item]
    return {"result": document.get("result"), "seen": tries, "enforced": enforced}


def _read_events(folder: Path) -> list[dict[str, Any]]:
    events = []
    with suppress(OSError):
        for line in (folder / _SEEN).read_text("utf-8", "replace").splitlines()[:200]:
            with suppress(ValueError):
                item = json.loads(line)
                if isinstance(item, dict):
                    events.append(item)
    return events


def _named(kind: str, what: str) -> dict[str, Any]:
    return {"kind": kind, "what": what, "remedy": "", "range": None}


def _plain_error(error: AipcError) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "what": error.what,
        "remedy": error.remedy,
        "range": to_plain(error.range) if error.range else None,
    }


def _rebuilt(fields: Mapping[str, Any], trace: str) -> AipcError:
    from aipc.core.plain_data import from_plain

    kind = getattr(errors, str(fields.get("kind")), AipcError)
    kind = kind if isinstance(kind, type) and issubclass(kind, AipcError) else AipcError
    place = None
    with suppress(Exception):  # the file was written by code that is not trusted
        place = from_plain(fields["range"], Range) if fields.get("range") else None
    return kind(str(fields.get("what"))[:2000], remedy=str(fields.get("remedy") or "")[:500], range=place, detail=trace)
