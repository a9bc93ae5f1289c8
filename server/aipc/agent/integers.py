"""Calibration of the agent's graphs: data that the original's loader gave once, before the first patch was seen.

A patched graph is quantized with these samples; no line of the patched source runs for that, only its captured graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache
from aipc.core.hashing import hash_value
from aipc.core.json import to_plain
from aipc.core.workers import WorkerPool
from aipc.pipeline.stage import Request, Run
from aipc.pipeline.stages.calibrate import samples_wanted
from aipc.qairt.soc import get_soc
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.plan import EXAMPLE, UNIFORM
from aipc.quantize.results import CalibrationSet

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
class Samples:
    """``folder`` holds ``calibration/`` and ``held-out/``, one .npz a sample, by the names of the graph's inputs."""

    folder: Path
    found: CalibrationSet

    @property
    def from_example(self) -> bool:
        """There is no calibration data: the example inputs stand for it."""
        return self.found.source == EXAMPLE

    @property
    def held_out(self) -> tuple[Path, ...]:
        return tuple(sorted((self.folder / "held-out").glob("[0-9]*.npz")))

    @property
    def words(self) -> str:
        if self.from_example:
            return "the example inputs alone, for want of calibration data"
        return f"{self.found.samples} samples of {self.found.source}"


def read_samples(request: Request, pool: WorkerPool, captured: Run, folder: Path) -> Samples:
    """Read the calibration data as the original does.

    Args:
        captured: any run that is captured: its inputs' names and shapes are taken.

    Raises:
        InputError: there is no such data, or it does not fit.
    """
    example = request.calibration in {None, EXAMPLE}
    asked = replace(request, calibration=EXAMPLE, preprocess=None) if example else request
    arguments = samples_wanted(asked, captured, folder)
    found: CalibrationSet = pool.run(quantize_jobs.PREPARE, arguments, cancel=captured.cancel)
    if example:
        found = replace(found, source=EXAMPLE)
    return Samples(folder, found)


def calibrate(run: Run, samples: Samples, cache: Cache) -> None:
    """Make these samples the calibration of a run whose float graph is done: the ``calibrate`` stage's entry."""
    key = hash_value({"calibrate": "agent", "samples": samples.found.digest, "graph": run.float_digest})

    def build(directory: Path) -> Mapping[str, Any]:
        seen = run.job(
            quantize_jobs.COLLECT,
            model=str(run.float_graph),
            samples=str(samples.folder / "calibration"),
            out=str(directory / "statistics"),
        )
        told = {**to_plain(samples.found), "directory": "", "files": {}}
        return {"changed": True, "set": told, "statistics": {**to_plain(seen), "directory": ""}, "files": {}}

    run.keys["calibrate"] = key
    run.entries["calibrate"] = cache.put(key, build)
