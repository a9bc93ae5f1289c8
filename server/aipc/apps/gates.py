"""The gate of a generator: its tokens, compared with PyTorch's greedy ones.

The SQNR of logits is no measure of a generator: Whisper tiny.en in fp16 has 34 dB and every token right. One wrong
token is another sentence, so all have to be equal; where PyTorch itself finds two tokens equally likely within fp16's
rounding, either is right, and what follows it cannot be compared.
"""

from __future__ import annotations

from collections.abc import Sequence

from aipc.core.answers import Answer
from aipc.core.plain_data import to_plain
from aipc.core.types import Gate
from aipc.recipes.runners import host

from .results import AnswerDivergence


def divergences(expected: Sequence[Answer], answers: Sequence[Answer]) -> tuple[AnswerDivergence, ...]:
    """Where each answer first differs from PyTorch's; nothing for those that do not."""
    results = (
        (wanted, host.divergence(to_plain(wanted), to_plain(actual)))
        for wanted, actual in zip(expected, answers, strict=True)
    )
    return tuple(AnswerDivergence(sample=wanted.sample, **item) for wanted, item in results if item is not None)


def token_gate(expected: Sequence[Answer], answers: Sequence[Answer]) -> Gate:
    """All answers have PyTorch's tokens, but for ties."""
    different = [item for item in divergences(expected, answers) if not item.tie]
    ties = len(divergences(expected, answers)) - len(different)
    equal = (len(expected) - len(different)) / len(expected) if expected else 0.0
    tokens = sum(len(answer.tokens) for answer in expected)
    detail = f"{tokens} tokens in {len(expected)} answers" + (f", {ties} of them equal up to a tie" if ties else "")
    if different:
        first = different[0]
        margin = (
            "not among PyTorch's likeliest" if first.margin is None else f"{first.margin:.3g} below in PyTorch's logits"
        )
        detail = (
            f"{first.sample!r}: token {first.position + 1} is {first.answer}, PyTorch's is {first.expected}; "
            f"the package's is {margin}"
        )
    elif not expected:
        detail = "the application has no samples to judge it on"
    return Gate("answers with PyTorch's tokens", equal, 1.0, bool(expected) and not different, detail)
