"""A crash, a hang and an exception of isolated code are outcomes."""

from __future__ import annotations

import os
import signal
import time

from aipc.core.child_process import run_isolated


def raises() -> None:
    raise ValueError("surprise")


def test_a_value_comes_back():
    assert run_isolated(divmod, 17, 5, seconds=10).value == (3, 2)


def test_an_exception_is_told():
    outcome = run_isolated(raises, seconds=10)
    assert (outcome.status, outcome.reason) == ("raised", "ValueError: surprise")


def test_a_crash_is_told_by_its_signal():
    outcome = run_isolated(_crash, seconds=10)
    assert (outcome.status, outcome.reason) == ("crashed", "SIGSEGV")


def test_a_hang_ends_at_the_limit():
    started = time.monotonic()
    assert run_isolated(time.sleep, 60, seconds=0.3).status == "timeout"
    assert time.monotonic() - started < 5


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)
