"""``aipc.deploy``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aipc import engine
from aipc.core.types import Event
from aipc.progress import shown

from .handover import hand_over
from .results import DeployReport

if TYPE_CHECKING:
    import torch


def deploy(
    model: torch.nn.Module | str | Path,
    example_inputs: Any = None,
    *,
    soc: str | None = None,
    precision: str | None = None,
    calibration: Any = None,
    calibration_count: int | None = None,
    tolerance: Mapping[str, float] | None = None,
    target: str | None = None,
    out: str | Path | None = None,
    allow_cpu: bool = False,
    integer_io: bool = False,
    probes: Literal["none", "few", "all"] = "few",
    setup: bool = False,
    accept: bool = False,
    name: str | None = None,
    use_cache: bool = True,
    progress: bool | Callable[[Event], None] = False,
    cancel: threading.Event | None = None,
) -> DeployReport:
    """Take a model to a verified package, with a gate after each stage.

    Args:
        model, example_inputs, soc, precision, name, progress, cancel: as in :func:`aipc.check`.
        calibration: data to quantize with: a folder of pictures, an .npz file or ``file.py:name`` as text; for an
            ``nn.Module`` also an iterable in this process, such as a DataLoader, whose items are what forward takes
            (labels behind them are left out).
        calibration_count: samples that calibrate; more are held out to judge the package on. Default: 32.
        tolerance: gates of an ``nn.Module`` other than the default ones, such as ``{"sqnr_db": 30}``.
        target: where the package runs: simulator, local, ssh:HOST, adb:SERIAL. Default: the configuration's.
        out: directory of the package. Default: ``.aipc/packages/MODEL-SOC-PRECISION``.
        allow_cpu: leave operators on the CPU that the NPU does not run.
        integer_io: inputs and outputs of a quantized package are the integers themselves.
        probes: input sets beside the example on which the package is judged: none, few (those that fit into a little
            time) or all.
        setup: set the device up where it lacks something, in a directory of its own there.
        accept: take a package that misses the accuracy asked for, at what it reached (20 dB at the least).

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is a report with ``ok`` False.
    """
    with shown(progress) as on_event:
        handed = hand_over(
            model,
            example_inputs,
            name=name,
            calibration=calibration,
            calibration_count=calibration_count,
            tolerance=tolerance,
            on_event=on_event,
        )
        request = engine.DeployRequest(
            handed.model,
            soc=soc,
            precision=precision,
            target=target,
            inputs=handed.inputs,
            out=Path(out).expanduser().resolve() if out else None,
            allow_cpu=allow_cpu,
            integer_io=integer_io,
            probes=probes,
            setup=setup,
            accept=accept,
            use_cache=use_cache,
            calibration=handed.calibration,
            captured=handed.captured,
            calibration_count=calibration_count,
        )
        return DeployReport.of(engine.deploy(request, None, on_event, cancel))
