"""What the jobs return, and the report."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[float, float]
"""The 95 % confidence interval of a figure: lower and upper end."""


@dataclass(frozen=True, slots=True)
class PreparedData:
    """``samples`` were written; ``total``: how many the data has, None where it does not say."""

    samples: int
    total: int | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstSample:
    """A sample where the package does worse than PyTorch, or worst of all. ``picture``: PNG in base64, or ""."""

    number: int
    reference: float
    package: float
    target: str
    picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """A metric of PyTorch and of the package on the same samples.

    The intervals are of the sample: what other samples of the same data would give in 95 of 100 cases. Proportions have
    Wilson's interval, all else the percentiles of a bootstrap over samples; the difference's is of the pairs.
    """

    metric: str
    unit: str
    more_is_better: bool
    samples: int
    reference: float
    reference_interval: Interval
    package: float
    package_interval: Interval
    difference: float
    """Package less PyTorch."""
    difference_interval: Interval
    worst: tuple[WorstSample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """``ok`` is False when the package loses more than was allowed. ``reference``: what ran beside it."""

    package: str
    model: str
    soc: str
    precision: str
    target: str
    data: str
    data_words: str
    total: int | None
    seed: int
    reference: str
    scores: Scores
    ok: bool
    most_loss: float | None
    directory: str
    """Of the samples, the outputs, ``evaluation.json`` and ``evaluation.html``; a second run goes on there."""
