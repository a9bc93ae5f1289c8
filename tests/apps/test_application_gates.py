"""The gate of a generator."""

from __future__ import annotations

from aipc.apps.gates import divergences, token_gate
from aipc.core.answers import Answer, TokenStep
from aipc.recipes.runners.host import TIE


def answer(*tokens: int, margin: float = 1.0) -> Answer:
    """An answer whose every token is ``margin`` likelier than the token after it in the alphabet, of logits at 8."""
    steps = tuple(TokenStep(tokens=(token, token + 1), logits=(8.0, 8.0 - margin)) for token in tokens)
    return Answer(sample="s", tokens=tokens, text="", steps=steps)


def test_all_tokens_have_to_be_equal() -> None:
    assert token_gate([answer(1, 2, 3)], [answer(1, 2, 3)]).ok
    gate = token_gate([answer(1, 2, 3), answer(4)], [answer(1, 2, 9), answer(4)])
    assert not gate.ok and gate.value == 0.5
    assert "token 3 is 9, PyTorch's is 3; the package's is not among PyTorch's likeliest" in gate.detail


def test_an_answer_that_ends_early_or_late_is_not_equal() -> None:
    assert not token_gate([answer(1, 2, 3)], [answer(1, 2)]).ok
    assert not token_gate([answer(1, 2)], [answer(1, 2, 3)]).ok


def test_two_tokens_that_are_equally_likely_within_rounding_are_a_tie() -> None:
    limit = 8.0 * TIE
    assert token_gate([answer(1, 5, 3, margin=limit)], [answer(1, 6, 7)]).ok
    assert not token_gate([answer(1, 5, 3, margin=limit * 1.01)], [answer(1, 6, 7)]).ok
    (found,) = divergences([answer(1, 5, 3, margin=0.25)], [answer(1, 6, 7)])
    assert (found.position, found.expected, found.answer, found.margin, found.tie) == (1, 5, 6, 0.25, False)


def test_no_samples_is_no_proof() -> None:
    assert not token_gate([], []).ok
