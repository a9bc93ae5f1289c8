"""Which decisions of a source are observed, and which of their sides count as not taken."""

from __future__ import annotations

import numpy as np
import pytest

from aipc.agent.decisions import constants, instrument, observed, open_sides

SOURCE = '''\
"""A module."""
from __future__ import annotations


class Model:
    def __init__(self, depth=3):
        self.depth = 2 if depth > 2 else 1

    def forward(self, x, mask=None):
        if x.shape[0] > 2 or mask is None:
            x = x + 1
        if self.depth > 1:
            x = x * 2
        if x.sum() < 0:
            raise ValueError("negative")
        count = int((x > 0.5).sum())
        for _ in range(count):
            x = x + 1
        return x if count else -x
'''


def run(source: str, *inputs: object) -> set[str]:
    text, decisions = instrument(source, "model.py")
    observed().clear()
    space: dict = {}
    exec(compile(text, "model.py", "exec"), space)
    for value in inputs:
        space["Model"]().forward(value)
    return {f"{side.decision.line} {side.outcome}" for side in open_sides(decisions, observed())}


def test_decisions_on_values_are_observed_and_those_on_shapes_configuration_and_errors_are_not():
    _, decisions = instrument(SOURCE, "model.py")
    assert [(item.line, item.kind) for item in decisions] == [(16, "mask"), (17, "loop"), (19, "test")]


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ([[0.0]], {"16 false", "17 another number of times", "19 false"}),
        ([[-0.9, -0.9]], {"16 true", "17 another number of times", "19 true"}),
        ([[0.0], [-0.9, -0.9]], set()),
        ([], set()),  # what was never reached says nothing
    ],
)
def test_a_side_counts_as_taken_when_some_input_takes_it(values, left):
    assert run(SOURCE, *(np.array(item) for item in values)) == left


def test_a_number_that_comes_from_no_tensor_decides_nothing():
    source = "class Model:\n    def forward(self, x):\n        return x if x > 3 else -x\n"
    assert run(source, 5) == set()
    assert run(source, np.array(5)) == {"3 false"}


def test_the_numbers_of_comparisons_are_where_sides_part():
    assert constants(SOURCE) == (0.0, 0.5, 1.0, 2.0)
