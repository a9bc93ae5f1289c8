"""What every target can do: the light part that front doors ask, and the open device that a worker drives.

A target is one file beside this one with a ``TARGET``. It finds devices (``discover``, light: a front door calls it)
and opens one (``open``, in a worker, where any library may be imported). An open :class:`Device` does single steps;
their order, their journal, the lock and the cleaning up are the same for all and live in ``session.py``. What may stop
a run is raised as a :class:`DeviceError`, which names the step.

Everything here is frozen plain data: it crosses the border of the worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from aipc.core.errors import AipcError
from aipc.core.types import Event

Step = Literal[
    "discover", "describe", "preflight", "lock", "setup", "push", "run", "profile", "pull", "clean", "unlock"
]
STEPS: tuple[Step, ...] = (
    "discover",
    "describe",
    "preflight",
    "lock",
    "setup",
    "push",
    "run",
    "profile",
    "pull",
    "clean",
    "unlock",
)
"""The steps of a run on a device, in their order. ``discover`` includes opening the connection."""


class DeviceError(AipcError):
    """A run on a device stopped. The message begins with the device and the step that it stopped at.

    Args:
        what: what went wrong, without device or step.
        step: where. A device may leave it out: the session knows which step it is in.
        soc: the chip to compile for, where that is the way out.
    """

    def __init__(self, what: str, *, step: str = "", device: str = "", soc: str = "", **rest: Any) -> None:
        self.step = step
        self.soc = soc
        self.device = device
        self.cause = what
        super().__init__(f"{device or 'the device'}: {step}: {what}" if step else what, **rest)

    def at(self, step: str, device: str) -> DeviceError:
        """The same error, told with the step and the device it belongs to."""
        if self.step:
            return self
        again = _rebuild(type(self), self.cause, step, device, self.remedy, self.detail, self.soc)
        again.__cause__ = self.__cause__
        return again

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.cause, self.step, self.device, self.remedy, self.detail, self.soc))


class SetupNeededError(DeviceError):
    """The device lacks something that AIPC can bring, and nobody has agreed to that yet."""


class UnfitError(DeviceError):
    """Preflight: the package does not fit this device. Nothing was pushed."""


class LostError(DeviceError):
    """The connection to the device ended, or nothing is heard from it any more."""


def _rebuild(
    cls: type[DeviceError], what: str, step: str, device: str, remedy: str, detail: str, soc: str
) -> DeviceError:
    return cls(what, step=step, device=device, remedy=remedy, detail=detail, soc=soc)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device says of itself. What it does not say is "" or None, never a guess.

    ``soc`` is a part number of ``qairt/socs.json`` where the device's own name for its chip is known there;
    ``soc_names`` are its own words. ``simulated``: an x86 host whose QAIRT simulates the NPU; its times are host
    times and never a latency. ``packages`` are the versions of what its Python (or the SDK on it) has.
    """

    system: str = ""
    """``linux``, ``windows`` or ``android``."""
    machine: str = ""
    """As the system names it: ``aarch64``, ``x86_64``, ``arm64-v8a``."""
    os: str = ""
    """For people: ``Debian GNU/Linux 12``, ``Android 15``."""
    libc: str = ""
    """``glibc 2.36``, ``musl 1.2``, "" where it does not matter."""
    soc: str = ""
    soc_names: tuple[str, ...] = ()
    soc_source: str = ""
    """Where ``soc`` was read: a path, a property, the device's own ``device.json``."""
    htp_arch: int | None = None
    vtcm_mb: int | None = None
    simulated: bool = False
    has_npu: bool | None = None
    """Whether onnxruntime (or the SDK's tools) finds the NPU; None when nobody could ask."""
    python: str = ""
    """Version of the Python that would run the package."""
    qairt: str = ""
    """QAIRT version of the runtime on the device."""
    packages: Mapping[str, str] = field(default_factory=dict)
    free_bytes: int | None = None
    npu_users: tuple[str, ...] = ()
    """Other processes that hold the NPU's device file."""
    clock_skew: float | None = None
    """Seconds that the device's clock is ahead of ours."""
    temperature: float | None = None
    """Degrees Celsius of its hottest readable zone."""
    lacks: tuple[str, ...] = ()
    """What ``setup`` would bring, in words: ``onnxruntime-qnn 2.7.0``."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More of it, for people. ``settled``: axes that are as they will be after a set-up, checked before it."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One axis on which a package and a device do not fit. ``blocks``: the package is not run."""

    axis: str
    """``soc``, ``htp_arch``, ``vtcm``, ``qairt``, ``os``, ``abi``, ``shape``, ``space``, ``npu``, ``clock`` …"""
    message: str
    remedy: str
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Description:
    """A place where packages can run."""

    name: str
    kind: str
    title: str
    available: bool
    reason: str = ""
    """Why it is not available, with what to do."""
    facts: Facts | None = None
    """None until somebody asked the device."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be run. ``package`` is a directory whose files are whole, ``manifest`` its manifest."""

    package: Path
    manifest: Mapping[str, Any]
    inputs: Path
    """.npz, one array for each input."""
    outputs: Path
    """.npz that is to be written."""
    warm_up: int = 3
    repeat: int = 10
    performance: str = "burst"
    """QNN's ``htp_performance_mode``."""
    profile: bool = True
    """Whether a per-node profile is wanted where the device can measure one."""
    cpu_model: Path | None = None
    """The uncompiled ONNX model: where a latency is measured, it is run on the device's CPU for comparison."""
    more: tuple[tuple[Path, Path], ...] = ()
    """Other inputs and where their outputs go, each run once: for a ``local`` device only."""
    further: tuple[tuple[Path, Path], ...] = ()
    """The same, as far as ``further_seconds`` goes: none is begun that would end later. None is no limit."""
    further_seconds: float | None = None
    beside: bool = False
    """The first of ``further`` runs in a process of its own, at the same time; for the simulator only."""


@dataclass(frozen=True, slots=True)
class Executed:
    """What one execution on the device gave. ``latency`` is None unless a device measured it.

    ``latency``: ``{"repetitions", "p50_ms", "p90_ms", "p99_ms", "min_ms", "max_ms", "spread"}``, and ``cpu``: the same
    of the uncompiled model on the device's CPU, or ``{"why": words}`` where that failed; absent where nobody could
    measure it, and never without a latency. ``host_seconds`` is never a latency.
    ``profile``: ``{"unit", "measured_on": "device" | "host", "nodes": {ONNX node: value}}``.
    ``environment``: versions and names that a later run can be compared with.
    """

    latency: Mapping[str, Any] | None
    host_seconds: float
    profile: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepRecord:
    step: str
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class TargetRun:
    """A run from its first step to its last. ``latency`` is None unless a device measured it."""

    latency: Mapping[str, Any] | None
    host_seconds: float
    profile: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    facts: Facts = Facts()
    steps: tuple[StepRecord, ...] = ()
    warnings: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who wants the device: told to whoever finds it taken."""

    who: str
    """``user@host``."""
    pid: int
    token: str
    """Random; tells one deployment from another of the same process."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the device. Ages are measured by the device's own clock, so that clock skew does not matter.

    ``alive`` is False when the device itself sees that the holder is gone, None when it cannot tell: then the lock is
    stale once the holder has not renewed it for ``lock.STALE_SECONDS``.
    """

    owner: Owner
    age: float
    """Seconds since it was taken."""
    idle: float
    """Seconds since it was last renewed."""
    alive: bool | None = None


class Progress(Protocol):
    """``progress("3.1 of 8.5 MB", 0.36)``; raises CancelledError when the user cancelled."""

    def __call__(self, note: str, fraction: float | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """What an open device is given besides its name."""

    report: Callable[[Event], None]
    cancel: threading.Event = field(default_factory=threading.Event)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """``[tool.aipc.targets."NAME"]``: ``directory``, ``soc``, ``python`` …"""


class Device:
    """One open device. The session calls the methods in the order of ``STEPS``, each at most once in a run, from one
    thread; ``close`` always, ``clean`` and ``unlock`` whenever ``lock`` succeeded, also after an error.

    Only ``describe`` and ``run`` have to be written: a target for which a step means nothing inherits it. A step raises
    :class:`DeviceError` (without ``step``: the session adds it); any other exception is reported as a defect.
    """

    name = ""
    """As the user wrote it, with its scheme."""
    local = False
    """Whether the package is run where it lies, and takes no space of its own."""

    def describe(self) -> Facts:
        """What the device is and has. Changes nothing on it."""
        raise NotImplementedError

    def try_lock(self, owner: Owner, break_token: str = "") -> Holder | None:
        """Take the device in one atomic step: None when it is ours, else who has it.

        Args:
            break_token: when the present holder has this token, its lock is stale and is replaced.
        """
        return None

    def unlock(self, owner: Owner) -> None:
        """Give the device back, if ``owner`` still has it."""

    def setup(self, facts: Facts, progress: Progress) -> None:
        """Bring what ``facts.lacks``. Called only with the user's consent, and only when something is lacking."""

    def push(self, work: Work, progress: Progress) -> str:
        """Bring the package to the device and answer where it is there.

        Files go to a staging place, are hashed *on the device*, and the whole is renamed into its final place: a place
        without ``manifest.json`` at its end was never run. A push that was cut short is taken up where it stopped. A
        package that is there already, whole, is not pushed again.
        """
        return str(work.package)

    def run(self, work: Work, where: str, progress: Progress) -> Executed:
        """Run the package on ``work.inputs``. The outputs may stay on the device until ``pull``."""
        raise NotImplementedError

    def profile(self, work: Work, where: str, progress: Progress) -> Mapping[str, Any] | None:
        """The per-node profile where it takes a run of its own (see :class:`Executed`); None when there is none."""
        return None

    def pull(self, work: Work, progress: Progress) -> None:
        """Bring the outputs to ``work.outputs``: complete and hashed, or not at all."""

    def clean(self) -> None:
        """Remove what this run left on the device (inputs, outputs, staging) and end its processes there.

        The installed package and the environment stay: the next run needs them. Does not raise for a device that is
        gone.
        """

    def close(self) -> None:
        """End the connection. Never raises."""


class Target(Protocol):
    scheme: str
    """What stands before the colon of a target's name."""

    def discover(self) -> tuple[Description, ...]:
        """What can be seen now without connecting: light and quick, called in a front door. Never raises."""
        ...

    def open(self, name: str, context: DeviceContext) -> Device:
        """Connect to the device ``name``. Called in a worker; may import anything. Raises DeviceError."""
        ...
