"""Hold a package's outputs for several samples against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from aipc.core.types import Event, OutputAccuracy
from aipc.qairt.metrics import compare_outputs
from aipc.qairt.package_jobs import read_npz


def compare(
    report: Callable[[Event], None], *, references: Sequence[str], actuals: Sequence[str]
) -> tuple[OutputAccuracy, ...]:
    """Distance of every output over all samples together: one signal and one noise.

    Args:
        references, actuals: ``.npz`` files, one a sample, in one order.
    """
    wanted, got = [read_npz(path) for path in references], [read_npz(path) for path in actuals]
    names = list(wanted[0])
    return compare_outputs(
        {name: np.stack([item[name] for item in wanted]) for name in names},
        {name: np.stack([item[name] for item in got]) for name in names if name in got[0]},
    )
