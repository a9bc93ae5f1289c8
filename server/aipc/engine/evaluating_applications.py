"""Evaluate an application's package on labelled samples: PyTorch's answers and the package's, by their texts."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.apps.prepare import source_of
from aipc.apps.worker_jobs import ANSWERS
from aipc.core.config import Config
from aipc.core.errors import InputError
from aipc.core.types import Event
from aipc.core.workers import WorkerPool

from ._run import OnEvent
from .application_packages import find_application, run_application

_ARGUMENT = {"whisper": "--audio", "decoder_only": "--prompt"}
"""Host program -> the option that takes a sample."""


def answer_samples(
    package: Path,
    manifest: dict[str, Any],
    config: Config,
    directory: Path,
    target: str,
    workers: WorkerPool,
    report: OnEvent,
    cancel: threading.Event | None,
) -> None:
    """Let PyTorch and the package answer every sample that has no answer yet.

    Raises:
        InputError: the application is no longer configured, so that there is no PyTorch model.
    """
    app, _ = find_application(manifest["application"], config.root)
    if app is None:
        raise InputError(
            f"the application {manifest['application']} is not configured in {config.root}, and PyTorch is run with it",
            remedy="evaluate the package in its project",
        )
    folders = sorted(path for path in (directory / "samples").iterdir() if path.is_dir())
    for number, folder in enumerate(folders):
        report(Event("evaluate", f"answering samples, part {number + 1} of {len(folders)}", number / len(folders)))
        if (folder / "done").exists():
            continue
        samples = sample_files(folder)
        contents = [path.read_text("utf-8") if path.suffix == ".txt" else str(path) for path in samples]
        source = replace(source_of(app, config.root), samples=tuple(contents))
        shutil.rmtree(folder / "pytorch", ignore_errors=True)  # of a run that was ended
        expected = workers.run(
            ANSWERS, {"source": source, "out": str(folder / "pytorch")}, on_event=report, cancel=cancel
        )
        option = _ARGUMENT[manifest["program"]]
        arguments = (
            [part for word in contents for part in (option, word)] if option == "--prompt" else [option, *contents]
        )
        answers = run_application(package, arguments, target, workers, report, cancel).answers
        for path, reference, answer in zip(samples, expected, answers, strict=True):
            _write(reference_file(path), reference.text)
            _write(output_file(path), answer.text)
        (folder / "done").touch()


def sample_files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.suffix in {".wav", ".txt"})


def reference_file(path: Path) -> Path:
    return path.with_name(f"reference-{path.stem}.json")


def output_file(path: Path) -> Path:
    return path.with_name(f"output-{path.stem}.json")


def row(path: Path) -> tuple[str, str, str, str]:
    """Files of one sample: itself, PyTorch's answer, the package's, and the text that is right."""
    return str(path), str(reference_file(path)), str(output_file(path)), str(path.with_name(f"target-{path.stem}"))


def _write(path: Path, text: str) -> None:
    path.write_text(json.dumps(text), "utf-8")
