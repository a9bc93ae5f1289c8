"""Hold a package's outputs for several samples against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from aipc.core.types import Event, OutputAccuracy
from aipc.qairt.cpu import Arrays, run_cpu
from aipc.qairt.metrics import compare_outputs
from aipc.qairt.package_jobs import read_npz


def compare(
    report: Callable[[Event], None], *, references: Sequence[str], actuals: Sequence[str]
) -> tuple[OutputAccuracy, ...]:
    """Distance of every output over all samples together: one signal and one noise.

    Args:
        references, actuals: ``.npz`` files, one a sample, in one order.
    """
    return _compared([read_npz(path) for path in references], [read_npz(path) for path in actuals])


def _compared(wanted: Sequence[Arrays], got: Sequence[Arrays]) -> tuple[OutputAccuracy, ...]:
    names = list(wanted[0])
    return compare_outputs(
        {name: np.stack([item[name] for item in wanted]) for name in names},
        {name: np.stack([item[name] for item in got]) for name in names if name in got[0]},
    )


def on_cpu(
    report: Callable[[Event], None], *, model: str, samples: Sequence[str], references: Sequence[str]
) -> tuple[OutputAccuracy, ...]:
    """The same for a graph on onnxruntime's CPU provider, its Q and DQ nodes as they are written."""
    wanted = [read_npz(path) for path in references]
    got = []
    for number, path in enumerate(samples):
        report(Event("quantize", f"running the quantized graph on the CPU, sample {number + 1} of {len(samples)}"))
        got.append(run_cpu(model, read_npz(path), optimize=False))
    return _compared(wanted, got)
