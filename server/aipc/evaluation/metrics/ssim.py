"""Structural similarity of pictures against target pictures (Wang et al. 2004), by torchmetrics, averaged."""

from typing import Any

import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from ._metric import Metric, first_output, mean
from ._pictures import pair


def ssim(outputs: Any, target: Any) -> float:
    picture, wanted, peak = pair(first_output(outputs), target)
    shape = (1, -1, *wanted.shape[-2:])
    actual, true = torch.from_numpy(picture.reshape(shape)), torch.from_numpy(wanted.reshape(shape))
    value = structural_similarity_index_measure(actual, true, data_range=peak)
    return float(value if isinstance(value, torch.Tensor) else value[0])


METRIC = Metric(name="ssim", statistic=ssim, total=mean)
