"""What the requests of a model share: finding it, opening a run, counting, localizing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from aipc.core.cache import Cache
from aipc.core.config import Config, ModelRef, load_config, resolve_model
from aipc.core.errors import InputError
from aipc.core.option import with_configured
from aipc.core.types import (
    Event,
    Finding,
    Placement,
)
from aipc.core.workers import WorkerPool
from aipc.debug import worker_jobs as debug_jobs
from aipc.debug.types import Localization
from aipc.pipeline.effective import in_effect
from aipc.pipeline.findings import numerics_findings
from aipc.pipeline.origins import captured_source_map, deployed_provenance
from aipc.pipeline.probing import failed_on_package, on_probe
from aipc.pipeline.stage import Request, Run
from aipc.pipeline.variant import variant_for
from aipc.quantize.plan import CALIBRATION_COUNT

OnEvent = Callable[[Event], None]
T = TypeVar("T")


def ignore(event: Event) -> None:
    return None


def resolve(
    model: str | ModelRef,
    soc: str | None,
    precision: str | None,
    inputs: Mapping[str, str] | None,
    cwd: Path | None,
    calibration: str | None = None,
) -> tuple[ModelRef, str, str, Config]:
    """The model, SoC and precision (see :func:`aipc.pipeline.effective.in_effect`), and the configuration."""
    ref, config = resolve_ref(model, cwd)
    if inputs:
        ref = replace(ref, inputs=dict(inputs))
    chosen = in_effect(config, ref.config, soc=soc, precision=precision, calibration=calibration)
    return ref, chosen.soc.value, chosen.precision.value, config


def configured(request: T, ref: ModelRef) -> T:
    """The request with what the model's table in the configuration says, where the request has the defaults."""
    return with_configured(request, ref.config.options) if ref.config else request


def resolve_ref(model: str | ModelRef, cwd: Path | None) -> tuple[ModelRef, Config]:
    """The model as it was named or captured, and the configuration that holds for it."""
    cwd = (cwd or Path.cwd()).resolve()
    config = load_config(cwd)
    if isinstance(model, ModelRef):
        return model, config
    ref = resolve_model(model, cwd, config)
    if model not in config.models:
        # A file elsewhere has its own configuration.
        config = load_config(ref.path.parent)
        ref = replace(ref, root=config.root)
    return ref, config


def new_run(
    request: Request,
    pool: WorkerPool,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
    directory: Path,
    use_cache: bool,
) -> Run:
    variant = variant_for(request.precision)
    if variant.plan is not None and request.integer_io:
        variant = variant.with_plan(replace(variant.plan, quantized_io=True))
    return Run(request, pool, Cache(), on_event or ignore, cancel, directory, variant, use_cache)


def calibrated(request: Request, calibration: str | None, count: int | None) -> Request:
    """The request with its calibration data: as asked, else as configured."""
    config = request.ref.config
    given = calibration or (config.calibration if config else None)
    return replace(
        request,
        calibration=given,
        calibration_count=count or (config.calibration_count if config else None) or CALIBRATION_COUNT,
        preprocess=config.preprocess if config else None,
    )


def needs_integers(ref: ModelRef, soc: str, target: str) -> InputError:
    """What a SoC without fp16 wants of somebody who named neither a precision nor data."""
    where = "" if target == "simulator" else f", the chip of {target},"
    place = f"calibration in [tool.aipc.models.{ref.config.name}]" if ref.config else "calibration in the configuration"
    return InputError(
        f"the NPU of {soc}{where} has no fp16, so {ref.name} must be quantized, which needs calibration data",
        remedy=f"give --calibration with a folder of images, an .npz file or file.py:name, or set {place}",
    )


def counts(report: Any) -> dict[str, int]:
    return {place.value: report.count(place) if report else 0 for place in Placement}


def localize(run: Run) -> tuple[Finding, ...]:
    """Findings on the expressions whose numbers are wrong on the example, or on the probe that fails instead."""
    probe = failed_on_package(run)
    found: Localization = run.job(
        debug_jobs.LOCALIZE,
        model=str(run.graph),
        inputs_npz=str(probe[1] if probe else run.path("capture", "inputs.npz")),
        soc=run.request.soc,
        divergence=True,
        seconds=120.0,
    )
    findings = numerics_findings(found, deployed_provenance(run).source_map(captured_source_map(run)), run.request.soc)
    return on_probe(findings, probe[0]) if probe else findings
