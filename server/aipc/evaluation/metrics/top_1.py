"""The share of samples whose class has the largest value."""

from ._metric import Metric, mean, rank

METRIC = Metric(
    name="top-1", statistic=lambda outputs, target: float(rank(outputs, target) < 1), total=mean, proportion=True
)
