"""What the requests of a model share: finding it, opening a run, counting, localizing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache
from aipc.core.config import DEFAULT_SOC, Config, ModelRef, load_config, resolve_model
from aipc.core.errors import InputError
from aipc.core.types import (
    Event,
    Finding,
    Placement,
)
from aipc.core.workers import WorkerPool
from aipc.pipeline.findings import numerics_findings
from aipc.pipeline.solved import deployed_source_map
from aipc.pipeline.stage import Request, Run
from aipc.qairt.results import Localization
from aipc.qairt.soc import get_soc

OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    return None


def resolve(
    model: str, soc: str | None, precision: str | None, inputs: Mapping[str, str] | None, cwd: Path | None
) -> tuple[ModelRef, str, str, Config]:
    """The model, SoC and precision: as asked, else as configured, else the default."""
    cwd = (cwd or Path.cwd()).resolve()
    config = load_config(cwd)
    ref = resolve_model(model, cwd, config)
    if model not in config.models:
        # A file elsewhere has its own configuration.
        config = load_config(ref.path.parent)
        ref = replace(ref, root=config.root)
    if inputs:
        ref = replace(ref, inputs=dict(inputs))
    of_model = ref.config
    name = soc or (of_model.soc if of_model else None) or config.soc or DEFAULT_SOC
    wanted = precision or (of_model.precision if of_model else None) or "fp16"
    if wanted != "fp16":
        raise InputError(
            f"precision {wanted} needs quantization, which this version does not have",
            remedy="use --precision fp16",
        )
    return ref, get_soc(name).part, wanted, config


def new_run(
    request: Request,
    pool: WorkerPool,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
    directory: Path,
    use_cache: bool,
) -> Run:
    return Run(request, pool, Cache(), on_event or ignore, cancel, directory, use_cache=use_cache)


def counts(report: Any) -> dict[str, int]:
    return {place.value: report.count(place) if report else 0 for place in Placement}


def localize(run: Run) -> tuple[Finding, ...]:
    found: Localization = run.job(
        "aipc.qairt.package_jobs:localize",
        model=str(run.graph),
        inputs_npz=str(run.path("capture", "inputs.npz")),
        soc=run.request.soc,
        divergence=True,
        seconds=120.0,
    )
    return numerics_findings(found, deployed_source_map(run), run.request.soc)
