"""exp of the mean cross entropy of tokens.

The first output is logits [1, tokens, vocabulary]; the target, token numbers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aipc.core.errors import InputError

from ._metric import Metric, first_output


def statistic(outputs: Any, target: Any) -> tuple[float, int]:
    """(sum of the cross entropies, tokens). Negative token numbers do not count."""
    logits = first_output(outputs).astype(np.float64)
    tokens = np.asarray(target, np.int64).reshape(-1)
    rows = logits.reshape(-1, logits.shape[-1])
    if len(rows) != len(tokens):
        raise InputError(f"{len(rows)} rows of logits and {len(tokens)} tokens", remedy="give a token for each row")
    counted = tokens >= 0
    rows, tokens = rows[counted], tokens[counted]
    rows = rows - rows.max(-1, keepdims=True)
    losses = np.log(np.exp(rows).sum(-1)) - rows[np.arange(len(tokens)), tokens]
    return float(losses.sum()), len(tokens)


def total(pairs: Sequence[Any]) -> float:
    losses, tokens = (sum(column) for column in zip(*pairs, strict=True))
    return float(np.exp(losses / max(tokens, 1)))


METRIC = Metric(
    name="perplexity", statistic=statistic, total=total, score=lambda pair: total([pair]), more_is_better=False
)
