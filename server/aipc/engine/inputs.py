"""A model's example inputs: found, and kept in the configuration."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aipc.capture import worker_jobs as capture_jobs
from aipc.capture.capture_result import InferredInputs
from aipc.core.config import Config, InputSpec, ModelRef, shown_inputs, write_model_config
from aipc.core.errors import ConfigError
from aipc.core.workers import WorkerPool, pool_or_new

from ._run import OnEvent, resolve_ref


@dataclass(frozen=True, slots=True)
class Configured:
    """The name that a model has in the configuration.

    Args:
        replaces: inputs of the author's that stand there and were left, as they are written; empty when the new ones
            were written.
    """

    name: str
    replaces: str = ""


def infer(
    model: str,
    *,
    cwd: Path | None = None,
    write: bool = False,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    seconds: float | None = None,
) -> InferredInputs:
    """The example inputs that would be used for ``model``; with ``write``, kept in the configuration.

    Args:
        seconds: stop after this time; the pool's own limit when None.

    Raises:
        ConfigError: with ``write``, the configuration already says something else.
        TimeLimitError: it took longer than ``seconds``.
    """
    ref, config = resolve_ref(model, cwd)
    with pool_or_new(pool) as workers:
        limits = replace(workers.limits, seconds=seconds) if seconds else None
        inferred: InferredInputs = workers.run(
            capture_jobs.INFER, {"ref": ref}, on_event=on_event, cancel=cancel, limits=limits
        )
    if write and (remembered := _remember(ref, config, inferred.shapes, replace=False)).replaces:
        raise ConfigError(
            f"{config.root / 'pyproject.toml'} already gives {remembered.name} the inputs {remembered.replaces}; "
            f"found were {shown_inputs(inferred.shapes)}",
            remedy=f"remove inputs from [tool.aipc.models.{remembered.name}] and run this again",
        )
    return inferred


def configure(model: str, inputs: Mapping[str, str], *, cwd: Path | None = None, replace: bool = False) -> Configured:
    """Keep a model's example inputs in the configuration.

    Args:
        replace: also where the author's file already gives others.

    Raises:
        AipcError: there is no such model, or the configuration cannot be read or written.
    """
    ref, config = resolve_ref(model, cwd)
    return _remember(ref, config, inputs, replace=replace)


def _remember(ref: ModelRef, config: Config, inputs: Mapping[str, str], *, replace: bool) -> Configured:
    name = _key(ref, config)
    model = config.models.get(name)
    known: InputSpec = model.inputs if model else None
    if known is not None and known != dict(inputs) and not replace:
        return Configured(name, shown_inputs(known))
    entry = model.entry if model else _entry(ref, config.root)
    write_model_config(config.root / "pyproject.toml", name, entry=entry, inputs=inputs)
    return Configured(name)


def _key(ref: ModelRef, config: Config) -> str:
    """The name of the table that is this model's, or a new one: another model's name is never taken."""
    if ref.config:
        return ref.config.name
    entry = _entry(ref, config.root)
    for name, model in config.models.items():
        file, _, attribute = model.entry.rpartition(":")
        if model.entry == entry or ((config.root / file).resolve() == ref.path and attribute == (ref.attribute or "")):
            return name
    free = [ref.name, f"{ref.path.stem}_{ref.name}", *(f"{ref.path.stem}_{ref.name}_{count}" for count in range(2, 99))]
    return next(name for name in free if name not in config.models)


def _entry(ref: ModelRef, root: Path) -> str:
    path = ref.path.relative_to(root).as_posix() if ref.path.is_relative_to(root) else str(ref.path)
    return f"{path}:{ref.attribute}" if ref.attribute else path
