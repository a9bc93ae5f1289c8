"""Whatever goes wrong at whatever step: no wrong success, no half package run, no lock or process left behind, and the
message names the step. Each case breaks something at the start of a step, looks at the device, and runs again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aipc.targets.base import STEPS

from .bench import Bench, Outcome

Act = Callable[[], None]


def cut(bench: Bench, step: str) -> Iterator[Act]:
    """The cable is pulled."""
    yield bench.proxy.cut


def silence(bench: Bench, step: str) -> Iterator[Act]:
    """The network swallows everything, and nobody is told."""
    yield bench.proxy.blackhole


def reboot(bench: Bench, step: str) -> Iterator[Act]:
    yield bench.device.reboot


def helper_killed(bench: Bench, step: str) -> Iterator[Act]:
    def act() -> None:
        for process in bench.device.processes("stdin.buffer.readline"):
            process.send_signal(signal.SIGKILL)

    yield act


def runner_killed(bench: Bench, step: str) -> Iterator[Act]:
    """The runner is killed as soon as it is there."""
    done = threading.Event()

    def hunt() -> None:
        while not done.is_set():
            for process in bench.device.processes("run.py"):
                if "--end-with-stdin" in process.cmdline():
                    process.send_signal(signal.SIGKILL)
                    return
            time.sleep(0.01)

    hunter = threading.Thread(target=hunt)
    yield hunter.start
    done.set()
    hunter.join()


def disk_full(bench: Bench, step: str) -> Iterator[Act]:
    """AIPC's directory lies on a small file system, which is filled to its last byte."""
    with small_disk(bench) as place:

        def act() -> None:
            with (place / "filler").open("wb", buffering=0) as stream:
                try:
                    while True:
                        stream.write(bytes(1 << 16))
                except OSError:
                    pass
                try:
                    while True:
                        stream.write(b"0")
                except OSError:
                    pass

        yield act
        (place / "filler").unlink(missing_ok=True)


@contextmanager
def small_disk(bench: Bench) -> Iterator[Path]:
    place = bench.device.directory / "disk"
    place.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    before, bench.directory = bench.directory, place / "aipc"
    bench.settings["directory"] = str(bench.directory)
    try:
        yield place
    finally:
        bench.directory = before
        del bench.settings["directory"]
        for _ in range(50):
            if subprocess.run(["umount", str(place)], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)


def npu_busy(bench: Bench, step: str) -> Iterator[Act]:
    """Another process has the NPU's device file open."""
    file = bench.device.directory / "fastrpc-cdsp"
    file.touch()
    bench.settings["npu_files"] = [str(file)]
    holders: list[subprocess.Popen[bytes]] = []

    def act() -> None:
        with file.open("rb") as stream:
            holders.append(subprocess.Popen(["sleep", "60"], stdin=stream))

    yield act
    for holder in holders:
        holder.kill()
        holder.wait()
    del bench.settings["npu_files"]


def slow_link(bench: Bench, step: str) -> Iterator[Act]:
    def act() -> None:
        bench.proxy.rate, bench.proxy.delay = 60_000.0, 0.01

    yield act


def second_deployment(bench: Bench, step: str) -> Iterator[Act]:
    """Another deployment to the same device begins. It waits a moment, and is told who has the device."""
    others: list[threading.Thread] = []

    def other() -> None:
        outcome = bench.run(profile=False, patience=0.5)
        bench.check(outcome)
        if outcome.error:
            assert outcome.error.step == "lock" and "is in use by" in str(outcome.error), str(outcome.error)
            assert f"(process {os.getpid()}), for " in str(outcome.error)

    def act() -> None:
        others.append(Raising(other))
        others[0].start()

    yield act
    others[0].join()


def host_killed(bench: Bench, step: str) -> Iterator[Act]:
    """This computer's own process is killed: it runs in a child, which kills itself (see ``run_in_child``)."""
    yield lambda: os.kill(os.getpid(), signal.SIGKILL)


def run_in_child(bench: Bench, step: str) -> int:
    """A run in a process that ends by SIGKILL when ``step`` begins; its exit status."""
    child = os.fork()
    if child == 0:
        try:
            bench.run({step: lambda: os.kill(os.getpid(), signal.SIGKILL)}, profile=True)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Raising(threading.Thread):
    """A thread whose ``join`` raises what went wrong in it."""

    def __init__(self, work: Act) -> None:
        super().__init__()
        self._work, self._error = work, None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        if self._error:
            raise self._error


MUST_STOP = {"cut", "silence", "reboot", "helper_killed", "runner_killed"}
FAULTS = {
    name: globals()[name]
    for name in (
        "cut",
        "silence",
        "reboot",
        "helper_killed",
        "runner_killed",
        "disk_full",
        "npu_busy",
        "slow_link",
        "second_deployment",
        "host_killed",
    )
}
RUNNING = ("run", "profile")
WITHOUT_SETUP = tuple(step for step in STEPS if step != "setup")
QUICK = {
    *(("cut", step) for step in ("discover", "push", "run", "pull", "unlock")),
    ("silence", "run"),
    ("reboot", "push"),
    ("helper_killed", "profile"),
    ("runner_killed", "run"),
    ("disk_full", "push"),
    ("second_deployment", "run"),
    ("slow_link", "push"),
    ("npu_busy", "discover"),
    ("host_killed", "run"),
}
CASES = [
    pytest.param(fault, step, id=f"{fault}-{step}", marks=() if (fault, step) in QUICK else pytest.mark.slow)
    for fault in FAULTS
    for step in (RUNNING if fault == "runner_killed" else WITHOUT_SETUP)
]


@pytest.fixture
def breaking(bench: Bench, fault: str, step: str):
    """What breaks something; mended when the test is done, whatever came of it."""
    bench.forget()
    doing = FAULTS[fault](bench, step)
    try:
        yield next(doing)
    finally:
        bench.proxy.mend()
        for _ in doing:
            pass


@pytest.mark.parametrize(("fault", "step"), CASES)
def test_a_fault_at_a_step_is_told_and_leaves_nothing(bench: Bench, breaking: Act, fault: str, step: str):
    if fault == "host_killed":
        assert run_in_child(bench, step) == -signal.SIGKILL
    else:
        observe(bench, fault, step, bench.run({step: breaking}))
    bench.settled()
    if fault == "disk_full":
        (bench.directory.parent / "filler").unlink(missing_ok=True)
    again = bench.run(profile=False)
    bench.check(again)
    assert again.error is None, f"the next run does not succeed: {again.error}"
    bench.settled()
    bench.tidy()


def test_every_fault_meets_every_step():
    met = {tuple(case.values) for case in CASES}
    assert met == {(fault, step) for fault in FAULTS for step in WITHOUT_SETUP} - {
        ("runner_killed", step) for step in WITHOUT_SETUP if step not in RUNNING
    }
    assert len(met) >= 90


def observe(bench: Bench, fault: str, step: str, outcome: Outcome) -> None:
    """A right success, or an error that names the step; and what must stop has stopped."""
    bench.check(outcome)
    if fault in MUST_STOP and not (step == "discover" and fault in {"reboot", "helper_killed"}):
        if step in {"clean", "unlock"}:  # the outputs are here: it is told, and takes nothing back
            assert outcome.error is None and f": {step}: " in outcome.run.warnings[0].message
        else:
            assert outcome.error is not None, "it went on over a broken connection"
            stopped_near(outcome.error.step, step)


def stopped_near(found: str, step: str) -> None:
    """At the step that was broken, or the next one that speaks with the device."""
    at = STEPS.index(found)
    assert STEPS.index(step) <= at <= STEPS.index(step) + 3, f"stopped at {found}"
