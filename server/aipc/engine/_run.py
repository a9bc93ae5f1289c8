"""What the requests of a model share: finding it, opening a run, counting."""

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
    Placement,
)
from aipc.core.workers import WorkerPool
from aipc.pipeline.effective import in_effect
from aipc.pipeline.request import Request
from aipc.pipeline.run import Run
from aipc.pipeline.variant import variant_for
from aipc.quantize.plan import CALIBRATION_COUNT

from .model_files import the_model_of

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
    model = the_model_of(model, cwd)
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
    return Run(
        request=replace(request, device=replace(request.device, journal=str(directory))),
        variant=variant,
        pool=pool,
        cache=Cache(),
        on_event=on_event or ignore,
        cancel=cancel,
        directory=directory,
        use_cache=use_cache,
    )


def calibrated(request: Request, calibration: str | None, count: int | None) -> Request:
    """The request with its calibration data: as asked, else as configured."""
    config = request.ref.config
    configured = calibration or (config.calibration if config else None)
    return replace(
        request,
        calibration=configured,
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
