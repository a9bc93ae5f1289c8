"""This machine as a device: AIPC's runner in a process, isolated, reads the package.

It is the runner that packages carry, so what is tested here is what a device executes. The package's copy is not run:
a package is data.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.errors import PackageError, QairtError
from aipc.qairt.runtime import qairt_version

from ._runner import PROGRESS, cpu_arguments, on_cpu, repetitions
from .base import Device, DeviceContext, DeviceError, Executed, Facts, Progress, Work
from .device_runner import RUNNER, isolated


class Machine(Device):
    """``simulated``: the NPU is QAIRT's simulator; then any chip can be stood in for."""

    local = True

    def __init__(self, context: DeviceContext, *, simulated: bool) -> None:
        self._context = context
        self._simulated = simulated

    def describe(self) -> Facts:
        return Facts(
            system={"win32": "windows"}.get(sys.platform, sys.platform),
            machine=platform.machine(),
            os=platform.platform(terse=True),
            simulated=self._simulated,
            python=platform.python_version(),
            qairt=qairt_version() or "",
            free_bytes=shutil.disk_usage(Path.cwd()).free,
        )

    def run(self, work: Work, where: str, progress: Progress) -> Executed:
        progress(f"running on the {work.manifest['soc']} {'simulator' if self._simulated else 'NPU'}")
        command = isolated(str(RUNNER), "--package", str(Path(where).resolve()), "--input", str(work.inputs))
        command += ["--soc", str(work.manifest["soc"])] if self._simulated else []
        if self._simulated and work.beside and work.further and _cores() > 1:
            return self._run_beside(work, where, progress)
        more = ["--output", str(work.outputs)]
        for inputs, outputs in work.more:
            more += ["--more", str(inputs), str(outputs)]
        for inputs, outputs in work.further:
            more += ["--further", str(inputs), str(outputs)]
        if work.further_seconds is not None:
            more += ["--further-seconds", f"{work.further_seconds:.3f}"]
        if not self._simulated:
            more += ["--warm-up", str(work.warm_up), "--repeat", str(work.repeat), "--performance", work.performance]
        result = run_runner([*command, *more], work, progress)
        latency = result["latency"]
        if latency and (cpu := on_cpu(work, lambda: self._on_cpu(command, work, progress))):
            result["latency"] = {**latency, "cpu": cpu}
        return executed(result)

    def _run_beside(self, work: Work, where: str, progress: Progress) -> Executed:
        """Run the first further input in a process of its own: the simulator computes on one core."""
        (inputs, outputs), *rest = work.further
        own = replace(work, inputs=inputs, outputs=outputs, more=(), further=(), beside=False)
        with ThreadPoolExecutor(1) as thread:
            other = thread.submit(self.run, own, where, _silent)
            executed = self.run(replace(work, further=tuple(rest), beside=False), where, progress)
            other.result()
        return executed

    def _on_cpu(self, command: list[str], work: Work, progress: Progress) -> Mapping[str, Any]:
        progress("running on the CPU")
        try:
            report = run_runner([*command, *cpu_arguments(work, str(work.cpu_model))], work, progress, "on the CPU ")
        except (PackageError, QairtError) as error:
            raise DeviceError(error.what, detail=error.detail) from error
        cpu: Mapping[str, Any] = report["cpu"]
        return cpu


def _silent(note: str, fraction: float | None = None) -> None:
    """The progress of what runs beside: the first input's is shown."""


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_runner(command: list[str], work: Work, progress: Progress, on: str = "") -> dict[str, Any]:
    """Run AIPC's runner on this machine; its JSON report.

    Args:
        on: said in the progress, with a space at its end: ``on the CPU ``.

    Raises:
        PackageError: the runner refused (damaged file, wrong chip, wrong inputs).
        QairtError: the runner died.
    """
    arguments = [*command, "--json", "--progress"]
    status, stdout, stderr = _listened(arguments, lambda note: repetitions(note, progress, on))
    if status == 2:
        note = stderr.strip().splitlines()
        raise PackageError(note[-1].removeprefix("run.py: ") if note else "the runner refused the package")
    if status != 0:
        raise QairtError(
            f"the package's runner died with status {status}",
            remedy="see its words with --debug",
            detail=stderr[-4000:],
        )
    try:
        result: dict[str, Any] = json.loads(stdout)
    except ValueError as error:
        raise PackageError(
            "the package's runner gave no report that can be read",
            remedy="deploy the model again",
            detail=stdout,
        ) from error
    return result


def _listened(command: list[str], on_note: Callable[[str], None]) -> tuple[int, str, str]:
    """Status, stdout and stderr of a program; its lines of progress are told while it runs, and left out."""
    lines: list[str] = []
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stdout,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if line.startswith(PROGRESS):
                    on_note(line.removeprefix(PROGRESS).strip())
                else:
                    lines.append(line)
        except BaseException:
            process.kill()
            raise
        process.wait()
        stdout.seek(0)
        return process.returncode, stdout.read(), "".join(lines)


def executed(result: dict[str, Any]) -> Executed:
    """A runner's report as the rest of AIPC takes it."""
    return Executed(
        result["latency"], float(result["host_seconds"]), result.get("profile"), result.get("environment", {})
    )
