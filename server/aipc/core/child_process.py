"""Run a function in a child process, so that a crash or a hang of native code is an outcome, not the end.

The caller must not have created a QNN session before (a forked child would hang); see ``runtime.qnn_devices``.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Isolated(Generic[T]):
    """``status`` is ``ok`` (``value`` is set), ``raised``, ``crashed`` or ``timeout``; ``reason`` says more."""

    status: Literal["ok", "raised", "crashed", "timeout"]
    value: T | None = None
    reason: str = ""


def _child(connection: Any, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        connection.send(("ok", function(*args, **kwargs)))
    except BaseException as error:
        connection.send(("raised", f"{type(error).__name__}: {error}"))
    finally:
        connection.close()


def run_isolated(function: Callable[..., T], *args: Any, seconds: float, **kwargs: Any) -> Isolated[T]:
    """Call ``function(*args, **kwargs)`` in a child and wait at most ``seconds`` for its (pickled) result."""
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, function, args, kwargs))  # type: ignore[attr-defined]
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return Isolated("timeout", reason=f"no answer within {seconds:g} seconds")
        status, value = ours.recv()
    except EOFError:
        child.join(10)
        code = child.exitcode or 0
        name = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return Isolated("crashed", reason=name)
    finally:
        child.kill()
        child.join()
        ours.close()
    return Isolated("ok", value) if status == "ok" else Isolated("raised", reason=value)
