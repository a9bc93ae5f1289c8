"""Run an application's host program as its user does: in a Python of its own, without PyTorch and without us.

It is AIPC's program for that kind of application, isolated; the package's copies are not run: a package is data.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aipc.recipes.runners as runners
from aipc.core.errors import InputError, PackageError, QairtError
from aipc.core.package_manifest import read_manifest
from aipc.core.types import Event
from aipc.targets.device_runner import RUNNER, isolated

Report = Callable[[Event], None]


def run_application(report: Report, *, package: str, arguments: Sequence[str]) -> dict[str, Any]:
    """A worker's job: the document that ``run.py --json`` prints.

    Raises:
        InputError: the program refuses what it was given, in its own sentence.
        PackageError, QairtError: it ended without an answer.
    """
    folder = Path(runners.__path__[0])
    program = read_manifest(Path(package))["program"]
    if program not in {path.stem for path in folder.glob("*.py")} - {"__init__", "host"}:
        raise PackageError(f"this version of AIPC has no host program {program}", remedy="deploy the application again")
    command = isolated(
        str(folder / f"{program}.py"),
        *("--package", package, "--runner", str(RUNNER), "--json", "--progress", "--end-with-stdin", *arguments),
        libraries=[str(folder)],
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout and process.stderr and process.stdin
    lines: list[str] = []

    def follow() -> None:
        assert process.stderr
        for line in process.stderr:
            lines.append(line.rstrip())
            if line.startswith("answer "):
                report(Event("run", line.rstrip()[:200]))

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    # The package's directory is not written to, and stdin stays open: the program ends when this one does.
    output = process.stdout.read()
    status = process.wait()
    reader.join(5.0)
    process.stdin.close()
    if status in (0, 1) and output.strip():
        document: dict[str, Any] = json.loads(output)
        return document
    message = next((line for line in reversed(lines) if line.startswith("run.py: ")), "")
    detail = "\n".join(lines[-30:])
    if message:
        sentence, _, remedy = message.removeprefix("run.py: ").partition(": ")
        raise InputError(sentence, remedy=remedy, detail=detail)
    if status < 0:
        raise QairtError(
            f"the application's run.py was ended by signal {-status}", remedy="see the log with --debug", detail=detail
        )
    raise PackageError(f"the application's run.py ended with status {status}", remedy="deploy it again", detail=detail)
