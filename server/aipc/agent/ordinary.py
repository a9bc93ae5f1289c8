"""Starts an ordinary Python process for a model: no module of AIPC in it, and none of the sandbox's variables.

It has the same rights as a confined job. The project's files are there as a tree of links beside the texts that differ
from the disk's, so that Python imports them as it always does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aipc.core.config_types import ModelRef
from aipc.core.types import Event

from .confine import FILE_BYTES, environment_without_secrets, open_places
from .job_results import OrdinaryAnswers

_HERE = Path(__file__).parent
_START_SECONDS = 120.0
"""To import PyTorch on a computer that is busy; two or three seconds on one that is not."""


def run(
    report: Callable[[Event], None],
    *,
    ref: ModelRef,
    out: str,
    examples: str,
    sets: Sequence[str],
    readable: Sequence[str],
    seconds: float,
) -> OrdinaryAnswers:
    """Run the model of ``ref`` on the sets of inputs in ``examples``, its outputs written to ``out``.

    Args:
        readable: what the process may read besides the installed libraries.
    """
    if ref.kind != "python" or not ref.attribute or (ref.config and ref.config.state):
        return OrdinaryAnswers((), "only a model that Python code builds can be run there")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("project", "work"):
            (home / name).mkdir()
        package, names = ref.path.parent, [ref.path.stem]
        while (package / "__init__.py").is_file():
            names.insert(0, package.name)
            package = package.parent
        top = package if ref.root.is_relative_to(package) or not ref.path.is_relative_to(ref.root) else ref.root
        link_project(top, home / "project", ref.unsaved)

        def place(path: Path) -> str:
            inside = path.is_relative_to(top)
            return str(home / "project" / path.relative_to(top)) if inside else str(path)

        task = {
            "path": list(dict.fromkeys(place(path) for path in (package, ref.path.parent, ref.root))),
            "file": place(ref.path),
            "module": ".".join(names),
            "attribute": ref.attribute,
            "sets": list(sets),
            "examples": examples,
            "out": out,
            "folder": str(home / "work"),
            "seen": str(home / "work" / "seen.jsonl"),
            "readable": open_places([*readable, str(home / "project"), str(top), examples]),
            "writable": [out, str(home / "work")],
            "restrict": (_HERE / "restrict.py").read_text("utf-8"),
            "watchman": (_HERE / "watchman.py").read_text("utf-8"),
            "seconds": seconds,
            "file_bytes": FILE_BYTES,
        }
        return _run(task, sets, home / "work", place(ref.root))


def _run(task: Mapping[str, Any], sets: Sequence[str], work: Path, directory: str) -> OrdinaryAnswers:
    program = (_HERE / "ordinary_script.py").read_text("utf-8")
    try:
        finished = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(task),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=directory,
            env={**environment_without_secrets(), "TMPDIR": str(work)},
            timeout=task["seconds"] + _START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        ended = f"it did not finish within {task['seconds']:g} seconds"
    else:
        ended = f"it ended its process by itself (exit status {finished.returncode})"
    tried = []
    with suppress(OSError, ValueError):
        lines = (work / "seen.jsonl").read_text("utf-8", "replace").splitlines()[:200]
        tried = [str(item["tried"]) for line in lines if "tried" in (item := json.loads(line))]
    try:
        document = json.loads((work / "result.json").read_text("utf-8"))
        written = {str(name) for name in document["sets"]}
        raised = str(document["raised"])[:500]
    except (OSError, ValueError, KeyError, TypeError):
        return OrdinaryAnswers((), ended, tuple(tried))
    return OrdinaryAnswers(tuple(name for name in sets if name in written), raised, tuple(tried))


def link_project(top: Path, folder: Path, texts: Mapping[str, str]) -> None:
    """Make ``folder`` look like ``top``: links to its entries, and files where ``texts`` (by path) has another text."""
    inside = {Path(file): text for file, text in texts.items() if Path(file).is_relative_to(top)}
    for entry in sorted(top.iterdir()):
        below = {str(path): text for path, text in inside.items() if path.is_relative_to(entry)}
        place = folder / entry.name
        if str(entry) in below:
            place.write_text(below[str(entry)], "utf-8", newline="")
        elif below:
            place.mkdir()
            link_project(entry, place, below)
        # Compiled files are compared by date and size alone: those of the original must not stand for a changed text.
        elif entry.name != "__pycache__":
            place.symlink_to(entry)
