"""Calibration of the agent's graphs: data that the original's loader gave once, before the first patch was seen.

A patched graph is quantized with these samples; no line of the patched source runs for that, only its captured graph.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from aipc.core.workers import WorkerPool
from aipc.pipeline.request import CalibrationSamples, Request
from aipc.pipeline.run import Run
from aipc.pipeline.stages.calibrate import read_samples
from aipc.qairt.soc import get_soc
from aipc.quantize.plan import EXAMPLE, UNIFORM

INTEGERS = "w8a16"
"""What stands for a precision that is found by a search, where the chip has no fp16."""


def judged_precision(precision: str, soc: str) -> str:
    """The one precision in which edits are judged for a model that is deployed in ``precision``.

    What a search would find depends on the edited graph; until then edits are judged in fp16, on a chip of integers
    and for ``mixed`` in 8-bit weights and 16-bit activations.
    """
    if precision in UNIFORM:
        return precision
    return INTEGERS if precision == "mixed" or get_soc(soc).fp16 == "no" else "fp16"


@dataclass(frozen=True, slots=True)
class Samples(CalibrationSamples):
    """The samples that calibrate every graph of one run of the agent."""

    @property
    def from_example(self) -> bool:
        """There is no calibration data: the example inputs stand for it."""
        return self.data.source == EXAMPLE

    @property
    def description(self) -> str:
        if self.from_example:
            return "the example inputs alone, for want of calibration data"
        return f"{self.data.samples} samples of {self.data.source}"


def samples_of(request: Request, pool: WorkerPool, captured: Run, folder: Path) -> Samples:
    """Read the calibration data as the original does.

    Args:
        request: of the original.
        pool: runs the original's own loader.
        captured: any run that is captured: its inputs' names and shapes are taken.

    Raises:
        InputError: there is no such data, or it does not fit.
    """
    example = request.calibration in {None, EXAMPLE}
    example_request = replace(request, calibration=EXAMPLE, preprocess=None) if example else request
    data = read_samples(replace(captured, request=example_request, pool=pool), folder)
    return Samples(folder, replace(data, source=EXAMPLE) if example else data)
