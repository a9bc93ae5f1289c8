"""What an application answers: tokens and text, and how sure it was. Plain data, of PyTorch and of packages alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStep:
    """The most likely tokens at one position, likeliest first, with their logits."""

    tokens: tuple[int, ...]
    logits: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: to a prompt, or to an audio file."""

    sample: str
    tokens: tuple[int, ...]
    text: str
    steps: tuple[TokenStep, ...] = ()
    """One for each token. In PyTorch's answer each is computed from PyTorch's own tokens before it."""
