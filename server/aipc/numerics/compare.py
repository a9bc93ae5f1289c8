"""The distance of one run to its reference, as a job."""

from __future__ import annotations

from collections.abc import Callable

from aipc.core.types import Event, OutputAccuracy

from .fp16 import ideal_fp16_sqnr
from .metrics import compare_outputs
from .npz import read_npz

Report = Callable[[Event], None]


def compare(
    report: Report,
    *,
    reference_npz: str,
    actual_npz: str,
    model: str | None = None,
    inputs: str | None = None,
) -> tuple[OutputAccuracy, ...]:
    """Distance of every output to the reference.

    Args:
        model: the ONNX file; with ``inputs``, each result also carries the SQNR that a correctly
            rounded fp16 execution of that graph has.
        inputs: the ``.npz`` of the graph's inputs.
    """
    ideal = None
    if model is not None and inputs is not None:
        report(Event("compare", "computing what ideal fp16 gives"))
        ideal = ideal_fp16_sqnr(model, read_npz(inputs))
    return compare_outputs(read_npz(reference_npz), read_npz(actual_npz), ideal)
