"""Hold a package's outputs for several samples against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from aipc.core.types import Event, OutputAccuracy
from aipc.numerics.cpu import Arrays, open_cpu, run_session
from aipc.numerics.metrics import compare_outputs
from aipc.numerics.npz import read_npz


def compare_samples(
    report: Callable[[Event], None], *, references: Sequence[str], actuals: Sequence[str]
) -> tuple[OutputAccuracy, ...]:
    """Distance of every output over all samples together: one signal and one noise.

    Args:
        references, actuals: ``.npz`` files, one a sample, in one order.
    """
    return _compared([read_npz(path) for path in references], [read_npz(path) for path in actuals])


def noisiest(report: Callable[[Event], None], *, references: Sequence[str], actuals: Sequence[str]) -> int:
    """The sample that has most of the noise, where every output counts by its signal over all samples."""
    wanted, got = [read_npz(path) for path in references], [read_npz(path) for path in actuals]
    noise = np.zeros(len(wanted))
    for name in wanted[0]:
        if wanted[0][name].dtype.kind != "f":
            continue
        real = [(item[name].astype(np.float64), other[name]) for item, other in zip(wanted, got, strict=True)]
        signal = sum(float(np.square(value).sum()) for value, _ in real)
        each = np.array([float(np.square(other - value).sum()) for value, other in real])
        noise += np.where(np.isfinite(each), each, np.inf) / (signal or 1.0)
    return int(noise.argmax())


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
    session = open_cpu(model, optimize=False)
    for number, path in enumerate(samples):
        report(Event("quantize", f"running the quantized graph on the CPU, sample {number + 1} of {len(samples)}"))
        got.append(run_session(session, read_npz(path)))
    return _compared(wanted, got)
