"""This machine as a device: the package's own runner in a process. What is tested here is what a device executes."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from aipc.core.errors import PackageError, QairtError
from aipc.qairt.runtime import qairt_version

from .base import Context, Device, Executed, Facts, Progress, Work


class Machine(Device):
    """``simulated``: the NPU is QAIRT's simulator; then any chip can be stood in for."""

    local = True

    def __init__(self, context: Context, *, simulated: bool) -> None:
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
        result = run_runner([sys.executable, str(Path(where) / "run.py")], work, simulated=self._simulated)
        return executed(result)


def run_runner(command: list[str], work: Work, *, simulated: bool) -> dict[str, Any]:
    """Run a package's ``run.py`` on this machine; its JSON report.

    Raises:
        PackageError: the runner refused (damaged file, wrong chip, wrong inputs).
        QairtError: the runner died.
    """
    arguments = [*command, "--input", str(work.inputs), "--output", str(work.outputs), "--json"]
    arguments += ["--soc", str(work.manifest["soc"])] if simulated else []
    for inputs, outputs in work.more:
        arguments += ["--more", str(inputs), str(outputs)]
    finished = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if finished.returncode == 2:
        words = finished.stderr.strip().splitlines()
        raise PackageError(words[-1].removeprefix("run.py: ") if words else "the runner refused the package")
    if finished.returncode != 0:
        raise QairtError(
            f"the package's runner died with status {finished.returncode}",
            remedy="see its words with --debug",
            detail=finished.stderr[-4000:],
        )
    try:
        result: dict[str, Any] = json.loads(finished.stdout)
    except ValueError as error:
        raise PackageError(
            "the package's runner gave no report that can be read",
            remedy="deploy the model again",
            detail=finished.stdout,
        ) from error
    return result


def executed(result: dict[str, Any]) -> Executed:
    """A runner's report as the rest of AIPC takes it."""
    return Executed(
        result["latency"], float(result["host_seconds"]), result.get("profile"), result.get("environment", {})
    )
