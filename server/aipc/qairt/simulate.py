"""Execute compiled or plain ONNX models on the HTP simulator.

The simulator's numbers are numerics. Its times are those of the host computer and say nothing about a
device, which is why they are called host seconds everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import PackageError
from aipc.numerics.cpu import run_session

from .compile import check_chip, read_context
from .session import open_session
from .soc import get_soc

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Execution:
    outputs: dict[str, Array]
    """Graph output name -> array, in graph order."""
    host_load_seconds: float
    host_run_seconds: float


def run_context(model: str | Path, inputs: Mapping[str, Array], soc: str) -> Execution:
    """Run a compiled (EPContext) model, its CPU nodes included, once; shapes and dtypes as for ``run_samples``."""
    (execution,) = run_samples(model, [inputs], soc)
    return execution


def run_samples(model: str | Path, samples: Iterable[Mapping[str, Array]], soc: str) -> Iterator[Execution]:
    """Run a compiled (EPContext) model, its CPU nodes included, on one sample after the other.

    Args:
        model: the EPContext file, its binaries beside it.
        samples: of each, one array for each graph input, with its exact dtype and shape.
        soc: the SoC the package is for; checked against what the binaries declare.

    Raises:
        PackageError: not a compiled model, damaged, or made for another SoC.
        InputError: an input does not fit. QairtError: the run failed.
    """
    chip = get_soc(soc)
    _, declared, _ = read_context(model)
    check_chip(declared, chip.htp_arch, chip.soc_id, chip.part)
    started = time.perf_counter()
    try:
        session = open_session(model, chip, verbose=False)
    except Exception as error:
        raise PackageError(
            f"QAIRT cannot load {Path(model).name}", remedy="deploy the model again", detail=str(error)
        ) from error
    loaded = time.perf_counter()
    for inputs in samples:
        begun = time.perf_counter()
        outputs = run_session(session, inputs)
        yield Execution(outputs, loaded - started, time.perf_counter() - begun)
