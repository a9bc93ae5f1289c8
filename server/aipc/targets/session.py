"""The order of a run on a device, the same for every target: each step journaled, named in errors, cleaned up after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aipc.core.errors import AipcError, CancelledError
from aipc.core.types import Event

from . import lock
from .base import (
    Device,
    DeviceContext,
    DeviceError,
    Executed,
    Facts,
    Mismatch,
    Progress,
    SetupNeededError,
    Step,
    StepRecord,
    Target,
    TargetRun,
    UnfitError,
    Work,
)
from .preflight import preflight
from .translate_qnn_errors import explained

Write = Callable[[str, Mapping[str, Any]], None]
"""``write("step done", {"step": "push", ...})``: one line of the journal."""


class Session:
    """One run on one device. Use :func:`execute`, or :func:`opened` for a look at the device without a run."""

    def __init__(self, target: Target, name: str, context: DeviceContext, write: Write) -> None:
        self._target, self._name, self._context, self.write = target, name, context, write
        self.steps: list[StepRecord] = []
        self.warnings: list[Mismatch] = []

    @contextmanager
    def step(self, step: Step) -> Iterator[Progress]:
        """One step: begun and ended in the journal; whatever stops it is told with the step's name."""
        report, started = self._context.report, time.monotonic()
        last = [""]

        def progress(note: str, fraction: float | None = None) -> None:
            last[0] = note
            if self._context.cancel.is_set():
                raise CancelledError("cancelled")
            report(Event(f"{self._name}: {step}", note, fraction))

        self.write("step started", {"step": step, "device": self._name})
        try:
            progress("started")
            last[0] = ""
            yield progress
        except DeviceError as error:
            error_with_step = explained(error.at(step, self._name))
            self.write("step failed", {"step": step, "error": str(error_with_step), "detail": error_with_step.detail})
            if error_with_step is error:
                raise
            raise error_with_step from error
        except CancelledError:
            self.write("step failed", {"step": step, "error": "cancelled"})
            raise
        except AipcError as error:
            error_with_step = explained(
                DeviceError(error.what, step=step, device=self._name, remedy=error.remedy, detail=error.detail)
            )
            self.write("step failed", {"step": step, "error": str(error_with_step), "detail": error_with_step.detail})
            raise error_with_step from error
        except Exception as error:
            error_with_step = DeviceError(
                f"AIPC itself failed: {type(error).__name__}: {error}",
                step=step,
                device=self._name,
                remedy="this is a defect: report it with what --debug prints",
            )
            self.write("step failed", {"step": step, "error": str(error_with_step)})
            raise error_with_step from error
        seconds = round(time.monotonic() - started, 4)
        self.steps.append(StepRecord(step, seconds, last[0]))
        self.write("step done", {"step": step, "seconds": seconds, "note": last[0]})

    def open(self) -> Device:
        with self.step("discover"):
            device = self._target.open(self._name, self._context)
            device.name = self._name
            return device

    def describe(self, device: Device) -> Facts:
        with self.step("describe"):
            return device.describe()


@contextmanager
def opened(target: Target, name: str, context: DeviceContext, write: Write) -> Iterator[tuple[Session, Device]]:
    """An open device, closed at the end of the block."""
    session = Session(target, name, context, write)
    device = session.open()
    try:
        yield session, device
    finally:
        device.close()


def execute(
    target: Target,
    name: str,
    work: Work,
    context: DeviceContext,
    *,
    write: Write = lambda event, data: None,
    consent: bool = False,
    patience: float = lock.PATIENCE_SECONDS,
) -> TargetRun:
    """Run a package on a device, from the first step to the last.

    Args:
        consent: the user agreed that the device is set up where it lacks something.
        patience: seconds to wait while another deployment has the device.

    Raises:
        UnfitError: preflight found a mismatch; nothing was pushed. SetupNeededError: the device lacks something.
        DeviceError: a step stopped; the message names it. The device was left unlocked and clean, or, when it could not
            be reached any more, in a state that the next run recognizes and cleans.
    """
    with opened(target, name, context, write) as (session, device):
        facts = session.describe(device)
        with session.step("preflight") as progress:
            # What a set-up would replace is not held against the device yet.
            warnings = _fit(
                device,
                work,
                facts,
                later={"qairt", "npu"} - set(facts.extra.get("settled", ())) if facts.lacks else set(),
            )
            for item in warnings:
                progress(item.message)
            if facts.lacks and not consent:
                raise SetupNeededError(
                    f"the device lacks {', '.join(facts.lacks)}",
                    remedy="let AIPC set it up in a directory of its own: add --setup",
                )
        with _locked(session, device, context, patience):
            if facts.lacks:
                with session.step("setup") as progress:
                    device.setup(facts, progress)
                facts = session.describe(device)
                with session.step("preflight"):
                    warnings = _fit(device, work, facts)
                    if facts.lacks:
                        raise DeviceError(f"after its set-up the device still lacks {', '.join(facts.lacks)}")
            executed = _run(session, device, work)
        warnings += tuple(session.warnings)
    return TargetRun(
        executed.latency,
        executed.host_seconds,
        executed.profile,
        executed.environment,
        facts,
        tuple(session.steps),
        warnings,
    )


def _run(session: Session, device: Device, work: Work) -> Executed:
    with session.step("push") as progress:
        where = device.push(work, progress)
    with session.step("run") as progress:
        executed = device.run(work, where, progress)
    profile = executed.profile
    if work.profile and profile is None:
        with session.step("profile") as progress:
            profile = device.profile(work, where, progress)
    with session.step("pull") as progress:
        device.pull(work, progress)
    return Executed(executed.latency, executed.host_seconds, profile, executed.environment)


@contextmanager
def _locked(session: Session, device: Device, context: DeviceContext, patience: float) -> Iterator[None]:
    """Have the device for the block. Its end cleans and unlocks; after an error it is the error that is told."""
    owner = lock.new_owner()
    with session.step("lock") as progress:
        lock.take(device, owner, patience=patience, waiting=progress, cancelled=context.cancel.is_set)
    try:
        yield
    except BaseException:
        for last in (device.clean, lambda: device.unlock(owner)):
            try:
                last()
            except Exception as error:
                session.write("left behind", {"error": str(error)})
        raise
    _last(session, "clean", device.clean)
    _last(session, "unlock", lambda: device.unlock(owner))


def _last(session: Session, step: Step, work: Callable[[], None]) -> None:
    """A step after the outputs have arrived, whole: what goes wrong in it is told, but takes nothing back."""
    try:
        with session.step(step):
            work()
    except DeviceError as error:
        remedy = "nothing: the device frees itself, and the next run removes what is left there"
        session.warnings.append(Mismatch(step, str(error.args[0]), remedy, blocks=False))


def _fit(device: Device, work: Work, facts: Facts, later: set[str] | None = None) -> tuple[Mismatch, ...]:
    """What preflight finds that does not block. Raises UnfitError for the first that does, with all of them told."""
    files = () if device.local else work.package.rglob("*")
    size = None if device.local else sum(path.stat().st_size for path in files if path.is_file())
    mismatches = preflight(work.manifest, facts, size=size, target=device.name)
    mismatches = tuple(item for item in mismatches if item.axis not in (later or set()))
    blocking = [item for item in mismatches if item.blocks]
    if blocking:
        reasons = "; ".join(f"[{item.axis}] {item.message}" for item in blocking)
        other_chip = any(item.axis == "soc" for item in blocking)
        raise UnfitError(reasons, remedy=blocking[0].remedy, soc=facts.soc if other_chip else "")
    return mismatches
