"""Models that are quantized already: their own scales are what is deployed, whatever precision is asked for."""

from __future__ import annotations

from dataclasses import replace

from aipc.core.types import Event
from aipc.quantize.plan import EXAMPLE, own_plan

from .artifacts import CapturedGraph
from .driver import attempt_stages
from .journal import Journal
from .run import Run
from .variant import own_scales_note, precision_of

CAPTURE_SQNR_DB = 20.0
"""What the captured graph must reach against PyTorch: where two fp32 runs differ in the last bit, a value that lies
between two steps is rounded to either, and each such value differs by a whole step. 31 dB were seen on noise."""


def with_own_scales(run: Run, journal: Journal) -> Run:
    """``run`` as it was, or, where the captured model has scales of its own, with these as the plan.

    Tensors that have none take their ranges from the calibration data, or from the example inputs without any.
    """
    if run.plan is not None and run.plan.own:
        return run
    built, outcome = attempt_stages(run, journal, (CapturedGraph,))
    bits = built.captured.result.own_bits if outcome.ok else None
    if not bits:
        return run
    plan = replace(own_plan(*bits), quantized_io=run.request.integer_io)
    run.on_event(Event("capture", own_scales_note(run.request.precision, precision_of(plan))))
    request = replace(
        run.request,
        calibration=run.request.calibration or EXAMPLE,
        tolerance={"capture_sqnr_db": CAPTURE_SQNR_DB, **run.request.tolerance},
    )
    return replace(run, request=request, variant=run.variant.with_plan(plan))
