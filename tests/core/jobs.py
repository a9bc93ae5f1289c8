"""Jobs for the worker tests: each misbehaves in its own way."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aipc.core.errors import ModelLoadError
from aipc.core.types import Event, Position, Range


def double(report: Any, *, value: int) -> int:
    report(Event("double", "half way", 0.5))
    print("to stdout")
    os.write(2, b"native words\n")
    return 2 * value


def leave_temporary(report: Any, *, hang: str = "") -> str:
    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    if hang:
        Path(hang).write_text(name)
        time.sleep(60)
    return name


def where(report: Any) -> tuple[int, list[str]]:
    return os.getpid(), [name for name in ("aipc.cli", "typer") if name in sys.modules]


def typed_error(report: Any) -> None:
    raise ModelLoadError("no such class", remedy="name another", range=Range("m.py", Position(3, 0), Position(3, 4)))


def untyped_error(report: Any) -> None:
    raise KeyError("surprise")


def segfault(report: Any) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(report: Any) -> None:
    os._exit(7)


def exit_politely(report: Any) -> None:
    sys.exit(3)


def endless(report: Any) -> None:
    while True:
        time.sleep(0.01)


def greedy(report: Any) -> int:
    blocks = []
    while True:
        blocks.append(bytearray(os.urandom(1) * (64 << 20)))
        time.sleep(0.02)


def one_huge_request(report: Any) -> int:
    return len(bytearray(1 << 50))


def with_child(report: Any, *, pid_file: str) -> None:
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
        os._exit(0)
    with open(pid_file, "w", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write(f"{os.getpid()} {pid}")
    time.sleep(600)


def not_picklable(report: Any) -> Any:
    return lambda: None


def crash_after_starting_a_child(report: Any, *, pid_file: str) -> None:
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
        os._exit(0)
    with open(pid_file, "w", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write(f"{os.getpid()} {pid}")
    os.kill(os.getpid(), signal.SIGSEGV)


def talkative(report: Any) -> None:
    while True:
        report(Event("talk", "still here"))


def close_stdout(report: Any) -> str:
    sys.stdout.close()
    os.close(1)
    return "done"


def unpicklable_typed_error(report: Any) -> None:
    raise ModelLoadError("odd", detail=lambda: None)  # type: ignore[arg-type]


def environment(report: Any, *, name: str) -> str | None:
    return os.environ.get(name)


def allocator_error(report: Any) -> None:
    raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 32 GB")


class _Payload:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def answer_that_runs(report: Any, *, marker: str) -> Any:
    return _Payload(os.mkdir, marker)


def answer_that_imports(report: Any) -> Any:
    return _Payload(__import__, "aipc.__main__")


def leave_a_daemon(report: Any, *, pid_file: str, crash: bool = False) -> int:
    """As daemons do: forked twice, in a session of its own, its descriptors left as they are."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(pid_file, "w", encoding="utf-8") as stream:  # noqa: PTH123
                stream.write(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
    while not os.path.exists(pid_file) or not os.path.getsize(pid_file):  # noqa: PTH110, PTH202
        time.sleep(0.01)
    if crash:
        os.kill(os.getpid(), signal.SIGSEGV)
    return 1


def descriptors(report: Any) -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208


def uses_multiprocessing(report: Any) -> int:
    from multiprocessing import shared_memory

    memory = shared_memory.SharedMemory(create=True, size=16)
    size = memory.size
    memory.close()
    memory.unlink()
    return size


def kill_the_fork_server(report: Any, *, times: str) -> int:
    """Twice at most: the third attempt succeeds."""
    with open(times, "a", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write("x")
    if os.path.getsize(times) <= int(os.environ["KILLS"]):  # noqa: PTH202
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(5)
    return os.path.getsize(times)  # noqa: PTH202


def import_path(report: Any) -> list[str]:
    import json
    import random
    import statistics

    return [str(module.__file__) for module in (json, random, signal, statistics)]


def fill_the_disk(report: Any, *, how: str) -> None:
    from aipc.core.errors import QairtError

    path = Path(tempfile.gettempdir()) / "large"
    try:
        with path.open("wb") as stream:
            while True:
                stream.write(b"x" * 65536)
                stream.flush()
    except OSError as error:
        if how == "crash":
            os.kill(os.getpid(), signal.SIGBUS)
        if how == "library":
            raise QairtError("the compiler returned 1002") from None
        raise error
