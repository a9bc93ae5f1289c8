"""Jobs that quantize, for the worker pool."""

from __future__ import annotations

from collections.abc import Callable

from aipc.core.types import Event

from .plan import QuantizationPlan
from .quantization_results import Quantized, Statistics

Report = Callable[[Event], None]


def collect(report: Report, *, model: str, samples: str, out: str) -> Statistics:
    """Run the float ``model`` on every sample and keep what its tensors hold, as ``out``/statistics.npz.

    Args:
        samples: directory of ``.npz`` files, one a sample, one array for each graph input.
        out: kept between calls: what an interrupted call has seen is not seen again.

    Raises:
        InputError: there is no sample, or one does not fit the graph.
    """
    from .calibrate.tensor_statistics import collect as run

    return run(report, model, samples, out)


def quantize(report: Report, *, model: str, statistics: str, plan: QuantizationPlan, soc: str, out: str) -> Quantized:
    """Write ``model`` quantized after ``plan`` to ``out``/model.onnx.

    Args:
        statistics: the directory that :func:`collect` wrote.

    Raises:
        QairtError: no quantized form of the graph can be made for this SoC.
    """
    from .quantizer import quantize as run

    return run(report, model, statistics, plan, soc, out)
