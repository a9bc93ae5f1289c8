"""The share of samples whose class is among the five largest values."""

from ._metric import Metric, mean, rank

METRIC = Metric(
    name="top-5", statistic=lambda outputs, target: float(rank(outputs, target) < 5), total=mean, proportion=True
)
