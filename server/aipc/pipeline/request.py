"""What is asked of a run, resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from aipc.core.config import ModelRef
from aipc.quantize.plan import CALIBRATION_COUNT, HELD_OUT_COUNT
from aipc.quantize.quantization_results import CalibrationSet
from aipc.targets import RunOptions


@dataclass(frozen=True, slots=True)
class CalibrationSamples:
    """Calibration data that was read already.

    ``folder`` holds ``calibration/`` and ``held-out/``, one .npz a sample, by the names of the graph's inputs.
    """

    folder: Path
    data: CalibrationSet

    @property
    def held_out(self) -> tuple[Path, ...]:
        return tuple(sorted((self.folder / "held-out").glob("[0-9]*.npz")))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a run, resolved: nothing in it is None that has a default."""

    ref: ModelRef
    soc: str
    precision: str
    target: str = "simulator"
    allow_cpu: bool = False
    finalize: bool = True
    out: Path | None = None
    tolerance: Mapping[str, float] = field(default_factory=dict)
    calibration: str | None = None
    """Folder, array file, ``file.py:name`` or ``random``; None where nothing is quantized."""
    calibration_count: int = CALIBRATION_COUNT
    held_out_count: int = HELD_OUT_COUNT
    seed: int = 0
    preprocess: str | None = None
    integer_io: bool = False
    """A quantized package takes and gives the integers themselves."""
    device: RunOptions = field(default_factory=RunOptions)
    probes: Literal["none", "few", "all"] = "few"
    """Input sets beside the example that are judged: none, those that fit into a little time, or all."""
    samples: CalibrationSamples | None = None
    """Calibrate with these, instead of what ``calibration`` names; nothing is held out of them for the package."""
