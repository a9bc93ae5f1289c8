"""What is asked of a package's own runner (``run.py``) on any device, and what it says while it runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file
from aipc.core.scratch import scratch_directory

from .base import DeviceError, LostError, Progress, Work
from .device_runner import RUNNER, RUNNER_VERSION

PROGRESS = "progress: "


@contextmanager
def with_own_runner(work: Work) -> Iterator[Work]:
    """The work with AIPC's runner in the place of the package's own, which is never executed on a device either."""
    own = hash_file(RUNNER)
    if work.manifest["files"].get("run.py") == own:
        yield work
        return
    with scratch_directory() as package:
        for name in work.manifest["files"]:
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            if name != "run.py":
                _link(work.package / name, package / name)
        shutil.copyfile(RUNNER, package / "run.py")
        manifest = {**work.manifest, "runner": RUNNER_VERSION, "files": {**work.manifest["files"], "run.py": own}}
        (package / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        yield replace(work, package=package, manifest=manifest)


def _link(source: Path, place: Path) -> None:
    try:
        place.symlink_to(source.resolve())
    except OSError:  # Windows allows links to some users only
        shutil.copyfile(source, place)


def speaks(manifest: Mapping[str, Any]) -> bool:
    """Whether this package's runner tells its progress and times the uncompiled model: older ones do not know how."""
    return int(manifest.get("runner", 1)) >= 2


def repetitions(note: str, progress: Progress, on: str = "") -> None:
    """Tell ``3 of 13``, the runner's own words. A single run is none of several."""
    number, _, total = note.partition(" of ")
    if number.isdigit() and total.isdigit() and int(total) > 1:
        progress(f"running {on}{number} of {total}", int(number) / int(total))


def cpu_files(work: Work) -> dict[str, Path]:
    """The uncompiled model's files by name."""
    assert work.cpu_model is not None
    data = work.cpu_model.with_name("model.data")
    return {"model.onnx": work.cpu_model, **({"model.data": data} if data.is_file() else {})}


def cpu_arguments(work: Work, model: str) -> list[str]:
    """The runner's arguments for the uncompiled model, which lies at ``model`` there."""
    return ["--cpu-model", model, "--warm-up", "1", "--repeat", str(work.repeat)]


def on_cpu(work: Work, measure: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The latency on the device's CPU, beside the one that was just measured; ``{"why": words}`` where that failed.

    None where it was not asked for. It is for comparison only: a failure of it takes nothing back.

    Raises:
        LostError: the device is gone, which is no failure of this measurement. CancelledError.
    """
    if work.cpu_model is None or not speaks(work.manifest):
        return None
    try:
        return measure()
    except LostError:
        raise
    except DeviceError as error:
        return {"why": error.cause}
