from __future__ import annotations

import math

import numpy as np
import pytest

from aipc.core.errors import QairtError
from aipc.numerics.metrics import accuracy, compare_outputs, sqnr_db


def test_equal_outputs_have_no_error() -> None:
    for array in (np.float32([1, -2.5, 0, -0.0]), np.zeros((2, 3), np.float32), np.zeros((0, 4), np.float32)):
        result = accuracy("y", array, array.copy())
        assert (result.cosine, result.sqnr_db, result.max_abs, result.max_rel) == (1.0, math.inf, 0.0, 0.0)


def test_sqnr_of_a_known_error() -> None:
    reference = np.float32([10, -10, 10, -10])
    assert sqnr_db(reference, reference * np.float32(1.125)) == pytest.approx(20 * math.log10(8))
    result = accuracy("y", reference, reference + np.float32([0, 0, 0, 1]))
    assert result.sqnr_db == pytest.approx(10 * math.log10(400))
    assert (result.max_abs, result.max_rel) == (1.0, pytest.approx(0.1))


def test_a_zero_reference_against_something_else_is_as_bad_as_can_be() -> None:
    result = accuracy("y", np.zeros(4, np.float32), np.float32([0, 1, 0, 0]))
    assert (result.cosine, result.sqnr_db, result.max_abs) == (0.0, -math.inf, 1.0)
    assert sqnr_db(np.float32([1, 2]), np.zeros(2, np.float32)) == pytest.approx(0.0)


def test_same_nan_and_infinity_agree_and_are_left_out() -> None:
    reference = np.float32([math.nan, math.inf, -math.inf, 2])
    result = accuracy("y", reference, reference.copy())
    assert (result.nan, result.inf, result.sqnr_db) == (0, 0, math.inf)


def test_nan_and_infinity_where_the_reference_is_finite_fail_every_threshold() -> None:
    result = accuracy("y", np.float32([1, 2, 3]), np.float32([1, math.nan, math.inf]))
    assert (result.nan, result.inf) == (1, 1)
    assert result.sqnr_db == -math.inf
    assert not result.cosine >= -1.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_as_bad_as_can_be(value: float) -> None:
    found = accuracy("y", np.ones(4, np.float32), np.array([1, 1, 1, value], np.float32))
    assert found.sqnr_db == -np.inf
    assert np.isnan(found.cosine)
    assert (found.nan, found.inf) == ((1, 0) if np.isnan(value) else (0, 1))


def test_saturated_infinity_is_counted_and_left_out_of_the_figures() -> None:
    result = accuracy("y", np.float32([math.nan, math.inf, 1]), np.float32([131008, 131008, 1]))
    assert (result.nan, result.inf, result.sqnr_db) == (1, 1, math.inf)


def test_integers_and_booleans_are_compared_exactly() -> None:
    big = np.int64([2**62, 5])
    assert accuracy("y", big, big + np.int64([1, 0])).max_abs == 1.0
    assert accuracy("y", np.array([True, False]), np.array([True, True])).max_abs == 1.0
    assert accuracy("y", np.uint8([0, 255]), np.uint8([0, 254])).max_abs == 1.0


def test_huge_and_tiny_values_neither_overflow_nor_vanish() -> None:
    for scale in (1e300, 1e-300):
        reference = np.float64([1, 2, 3]) * scale
        assert sqnr_db(reference, reference * 1.001) == pytest.approx(60.0)
        assert accuracy("y", reference, reference * 1.001).cosine == pytest.approx(1.0)


def test_outputs_must_be_the_same_ones() -> None:
    with pytest.raises(QairtError, match="one side only"):
        compare_outputs({"a": np.zeros(1)}, {"b": np.zeros(1)})
    with pytest.raises(QairtError, match="shape"):
        compare_outputs({"a": np.zeros(1)}, {"a": np.zeros(2)})
    with pytest.raises(QairtError, match="not a number"):
        accuracy("a", np.array(["x"]), np.array(["x"]))


def test_the_cosine_of_known_vectors_and_never_above_one() -> None:
    assert accuracy("y", np.float32([2, 0]), np.float32([3, 3])).cosine == pytest.approx(math.sqrt(0.5))
    assert accuracy("y", np.float32([1, 2]), np.float32([-2, -4])).cosine == pytest.approx(-1.0)
    rounded = np.float32([0.1, 1.0])  # its product with itself is above the product of its lengths in float64
    assert accuracy("y", rounded, rounded * np.float32(2)).cosine == 1.0
