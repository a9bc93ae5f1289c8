"""A model's example inputs: found, and kept in the configuration."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from aipc.capture.results import InferredInputs
from aipc.core.config import Config, ModelRef, write_model_config
from aipc.core.workers import WorkerPool, pool_or_new

from ._run import OnEvent, resolve


def infer(
    model: str,
    *,
    cwd: Path | None = None,
    write: bool = False,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> InferredInputs:
    """The example inputs that would be used for ``model``; with ``write``, kept in the configuration."""
    ref, _, _, config = resolve(model, None, None, None, cwd)
    with pool_or_new(pool) as workers:
        found: InferredInputs = workers.run("aipc.capture.jobs:infer", {"ref": ref}, on_event=on_event, cancel=cancel)
    if write:
        _remember(ref, config, found.shapes)
    return found


def configure(model: str, inputs: Mapping[str, str], *, cwd: Path | None = None) -> str:
    """Keep a model's example inputs in the configuration; returns the name that the model has there.

    Raises:
        AipcError: there is no such model, or the configuration cannot be read or written.
    """
    ref, _, _, config = resolve(model, None, None, None, cwd)
    _remember(ref, config, inputs)
    return ref.name


def _remember(ref: ModelRef, config: Config, inputs: Mapping[str, str]) -> None:
    try:
        entry = f"{ref.path.relative_to(config.root).as_posix()}:{ref.attribute}"
    except ValueError:
        entry = f"{ref.path}:{ref.attribute}"
    write_model_config(config.root / "pyproject.toml", ref.name, entry=entry, inputs=inputs)
