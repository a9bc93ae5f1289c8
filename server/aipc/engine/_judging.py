"""What edits are judged against: the model as it is, in the precision in which it is deployed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from aipc.agent.integers import judged_precision
from aipc.core.errors import InputError
from aipc.core.scratch import scratch_directory
from aipc.pipeline.request import Request

from ._run import calibrated, resolve


class Subject(Protocol):
    """The part of a request that names the model and how it is deployed."""

    @property
    def model(self) -> str: ...
    @property
    def soc(self) -> str | None: ...
    @property
    def precision(self) -> str | None: ...
    @property
    def calibration(self) -> str | None: ...
    @property
    def inputs(self) -> Mapping[str, str] | None: ...
    @property
    def cwd(self) -> Path | None: ...
    @property
    def unsaved(self) -> Mapping[str, str]: ...


def judged_request(subject: Subject) -> Request:
    """The request of the original.

    Raises:
        InputError: this system has no sandbox, or the model is no Python source. AipcError: it cannot be found.
    """
    if sys.platform == "win32":
        raise InputError("the sandbox for edited code needs Linux", remedy="use WSL or a dev container")
    ref, soc, precision, _ = resolve(
        subject.model, subject.soc, subject.precision, subject.inputs, subject.cwd, subject.calibration
    )
    if ref.kind != "python":
        raise InputError(
            f"{ref.path.name} is no Python source, and edits change source",
            remedy="name the model as file.py:Name",
        )
    tolerance = dict(ref.config.tolerance) if ref.config else {}
    ref_with_texts = replace(ref, unsaved=dict(subject.unsaved))
    return calibrated(
        Request(ref_with_texts, soc, judged_precision(precision, soc), tolerance=tolerance), subject.calibration, None
    )


@contextmanager
def private_directory() -> Iterator[Path]:
    """A directory that nobody else reads: what the original answered is no patch's business."""
    with scratch_directory() as name:
        yield Path(name).resolve()
