"""``aipc.check``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipc import engine
from aipc.core.types import Event
from aipc.progress import shown

from .handover import hand_over
from .results import CheckReport

if TYPE_CHECKING:
    import torch


def check(
    model: torch.nn.Module | str | Path,
    example_inputs: Any = None,
    *,
    soc: str | None = None,
    precision: str | None = None,
    calibration: Any = None,
    numerics: bool = False,
    name: str | None = None,
    use_cache: bool = True,
    progress: bool | Callable[[Event], None] = False,
    cancel: threading.Event | None = None,
) -> CheckReport:
    """Ask QAIRT where each operator of a model runs, and what it computes wrongly.

    Args:
        model: an ``nn.Module`` of this process, which is captured here and left as it is; or what the command line
            takes: ``file.py:Name``, a configured name, a .onnx or .pt2 file, which workers load.
        example_inputs: a tensor, a tuple for the arguments of forward, or a dict by their names; shapes as text
            (``"float32[1,3,224,224]"``) stand for random tensors. None: the model's ``example_inputs()``, the
            configuration, or what follows from the first layers.
        soc: the chip, such as ``sm8650``. Default: the configuration's.
        precision: fp16, w8a16, w8a8, w4a16, mixed or auto. Default: the configuration's, else fp16.
        calibration: data to quantize with; see :func:`aipc.deploy`.
        numerics: also measure the error of each node on the simulator.
        name: of the model in the report. Default: its class.
        progress: True shows progress on stderr; a function gets every :class:`aipc.Event`.
        cancel: set it from another thread to stop: CancelledError is raised.

    Raises:
        AipcError: the check could not be made. A model that PyTorch cannot export is a report with findings.
    """
    with shown(progress) as on_event:
        handed = hand_over(model, example_inputs, name=name, calibration=calibration, on_event=on_event)
        request = engine.CheckRequest(
            handed.model,
            soc=soc,
            precision=precision,
            inputs=handed.inputs,
            numerics=numerics,
            use_cache=use_cache,
            unsaved=handed.sources,
            calibration=handed.calibration,
            captured=handed.captured,
        )
        return CheckReport.of(engine.check(request, None, on_event, cancel))
