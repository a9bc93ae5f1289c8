"""Run a package on this machine by its own runner, in a worker: what is tested here is what a device executes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aipc.core.errors import PackageError, QairtError
from aipc.core.types import Event


def run(report: Callable[[Event], None], *, package: str, inputs: str, outputs: str, soc: str) -> dict[str, Any]:
    """Run the package's ``run.py`` with this interpreter; its JSON report.

    Raises:
        PackageError: the runner refused (damaged file, wrong chip, wrong inputs).
        QairtError: the runner died.
    """
    report(Event("run", f"running on the {soc} simulator"))
    runner = Path(package) / "run.py"
    command = [sys.executable, str(runner), "--input", inputs, "--output", outputs, "--soc", soc, "--json"]
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
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
