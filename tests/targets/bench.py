"""Runs on a test device with something done at the start of a step, and what must hold afterwards whatever happened."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import AipcError
from aipc.targets import TargetRun, get_target
from aipc.targets.base import STEPS, DeviceContext, DeviceError, Work
from aipc.targets.session import execute

from .device import TestDevice
from .proxy import Proxy


@dataclass(frozen=True)
class Outcome:
    """``error`` is what the user is told; None when the run succeeded."""

    run: TargetRun | None
    error: AipcError | None
    outputs: Path
    seconds: float


class Bench:
    def __init__(self, device: TestDevice, package: Path, settings: Mapping[str, Any]) -> None:
        self.device, self.package, self.settings = device, package, dict(settings)
        self.proxy = Proxy(device.port)
        device.reach(self.proxy.port)
        self._scratch = Path(tempfile.mkdtemp())
        self._reference: dict[str, np.ndarray] | None = None
        self.directory = device.base

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *error: object) -> None:
        self.proxy.close()
        self.device.reach(self.device.port)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def work(self, outputs: Path, *, profile: bool = True, package: Path | None = None) -> Work:
        package = package or self.package
        manifest = json.loads((package / "manifest.json").read_text())
        return Work(package, manifest, package / "golden" / "inputs.npz", outputs, profile=profile)

    def run(
        self,
        at: Mapping[str, Callable[[], None]] | None = None,
        *,
        profile: bool = True,
        patience: float = 20.0,
        consent: bool = False,
        package: Path | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """One run; ``at[step]`` is called once, when that step begins."""
        waiting = dict(at or {})

        def write(event: str, data: Mapping[str, Any]) -> None:
            if event == "step started" and (act := waiting.pop(data["step"], None)):
                act()

        outputs = self._scratch / f"outputs-{time.monotonic_ns()}.npz"
        context = DeviceContext(lambda event: None, settings=self.settings if settings is None else settings)
        started = time.monotonic()
        run, error = None, None
        try:
            run = execute(
                get_target("ssh"),
                self.device.target,
                self.work(outputs, profile=profile, package=package),
                context,
                write=write,
                patience=patience,
                consent=consent,
            )
        except AipcError as problem:
            error = problem
        return Outcome(run, error, outputs, time.monotonic() - started)

    def check(self, outcome: Outcome) -> None:
        """A success has the right outputs and no false latency; an error names the device and the step."""
        if outcome.error is None:
            assert outcome.run is not None and outcome.run.latency is None, "an x86 device has measured a latency"
            self.right(outcome.outputs)
            return
        assert isinstance(outcome.error, DeviceError), repr(outcome.error)
        assert outcome.error.step in STEPS
        assert str(outcome.error).startswith(f"{self.device.target}: {outcome.error.step}: "), str(outcome.error)
        assert "AIPC itself failed" not in str(outcome.error) and "defect" not in str(outcome.error)
        assert not outcome.outputs.exists(), "outputs of a run that stopped"

    def right(self, outputs: Path) -> None:
        """The outputs are those of the first good run, to the bit: the simulator is deterministic."""
        with np.load(outputs) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        with np.load(self.package / "golden" / "outputs.npz") as golden:
            for name in golden.files:
                assert np.allclose(golden[name], found[name], atol=0.02), name
        if self._reference is None:
            self._reference = found
        for name, array in self._reference.items():
            assert np.array_equal(array, found[name]), name

    def settled(self, seconds: float = 15.0) -> None:
        """No process of AIPC is left on the device, its lock is free, and whatever is installed there is whole."""
        self.proxy.mend()
        deadline = time.monotonic() + seconds
        while left := self.left():
            if time.monotonic() > deadline:
                raise AssertionError(f"left on the device: {left}")
            time.sleep(0.1)
        self.unlocked(deadline)
        self.whole()

    def left(self) -> list[str]:
        found = []
        for process in self.device.processes():
            try:
                words = process.cmdline()
            except Exception:
                continue
            if any("stdin.buffer.readline" in word or "run.py" in word or "pip" in word for word in words):
                found.append(" ".join(words)[:200])
        return found

    def unlocked(self, deadline: float = 0.0) -> None:
        """The lock is free; a process that has just ended may give it back a moment after it left the list."""
        import fcntl

        path = self.directory / "lock"
        if not path.exists():
            return
        with path.open("rb") as stream:
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)

    def whole(self) -> None:
        for manifest in self.directory.glob("packages/*"):
            files = json.loads((manifest / "manifest.json").read_text())["files"]
            for name, digest in files.items():
                assert hashlib.sha256((manifest / name).read_bytes()).hexdigest() == digest, f"{manifest}: {name}"

    def tidy(self) -> None:
        """Nothing of a run remains: no inputs, no outputs, no half environment, nothing staged."""
        for name in ("runs", "env.new", "env.old", "owner.json"):
            assert not (self.directory / name).exists(), name
        assert not list(self.directory.glob("staging/*"))

    def forget(self) -> None:
        """Remove what is installed, so that the next run pushes again."""
        for name in ("packages", "staging"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
