"""Word error rate of texts: substitutions, deletions and insertions over the words of the targets. By jiwer.

``--decode file.py:name`` makes the text of the outputs.
"""

from collections.abc import Sequence
from typing import Any

import jiwer

from aipc.core.errors import InputError

from ._metric import Metric


def statistic(outputs: Any, target: Any) -> tuple[int, int]:
    """(errors, words of the target)."""
    if not isinstance(outputs, str) or not isinstance(target, str):
        raise InputError("wer compares texts", remedy="make the text of the outputs with --decode file.py:name")
    if not target.strip():
        return len(outputs.split()), 0
    counts = jiwer.process_words(target, outputs)
    return counts.substitutions + counts.deletions + counts.insertions, len(target.split())


def total(pairs: Sequence[Any]) -> float:
    errors, word_count = (sum(column) for column in zip(*pairs, strict=True))
    return float(errors / max(word_count, 1))


METRIC = Metric(
    name="wer", statistic=statistic, total=total, score=lambda pair: pair[0] / max(pair[1], 1), more_is_better=False
)
