"""Where no rewrite is exact there is a stated reason, and something to choose."""

from __future__ import annotations

import pytest

from aipc.rewrites.choices import CHOICES, Choice, choices_for


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.ops[0])
def test_a_choice_has_a_reason_and_options(choice: Choice) -> None:
    assert choice.ops
    assert len(choice.reason.split()) > 5
    assert not choice.reason.endswith(".")
    assert choice.options


def test_choices_are_found_by_operator_and_finding() -> None:
    assert [choice.ops[0] for choice in choices_for("Mod")] == ["Mod"]
    assert not list(choices_for("Tan", "runs-on-cpu"))
    assert list(choices_for("Tan", "wrong-numbers"))
    assert not list(choices_for("Conv"))
