"""Peak signal-to-noise ratio of pictures against target pictures, averaged over samples.

10 log10(peak² / mean squared error); the peak is 1 for targets up to 1, else 255. Equal pictures count as 100 dB.
"""

from typing import Any

import numpy as np

from ._metric import Metric, first_output, mean
from ._pictures import pair

_EQUAL_DB = 100.0


def psnr(outputs: Any, target: Any) -> float:
    picture, wanted, peak = pair(first_output(outputs), target)
    error = float(np.mean((picture - wanted) ** 2))
    return _EQUAL_DB if error == 0 else min(_EQUAL_DB, 10 * float(np.log10(peak**2 / error)))


METRIC = Metric(name="psnr", statistic=psnr, total=mean, unit="dB")
