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


def test_the_relative_error_of_values_below_the_smallest_normal_fp16_divides_by_it() -> None:
    smallest = 2.0**-14
    for value, divisor in (
        (0.0, smallest),
        (smallest / 4, smallest),
        (-smallest, smallest),
        (-4 * smallest, 4 * smallest),
    ):
        reference = np.float64([1.0, value])
        result = accuracy("y", reference, reference + np.float64([0, smallest / 8]))
        assert result.max_rel == pytest.approx(smallest / 8 / divisor)
        assert result.max_abs == smallest / 8


def test_the_worst_element_gives_the_absolute_and_the_relative_error_each() -> None:
    result = accuracy("y", np.float32([[100, 1], [8, 8]]), np.float32([[97, 1.5], [8, 8]]))
    assert (result.max_abs, result.max_rel) == (3.0, 0.5)


def test_sqnr_of_errors_of_many_sizes_is_the_formula() -> None:
    reference = np.float64([[3, -4, 0.5], [12, 0, -1]])
    actual = reference + np.float64([[0.1, 0, -0.02], [0.3, 0.004, 0]])
    noise = ((actual - reference) ** 2).sum()
    assert sqnr_db(reference, actual) == pytest.approx(10 * math.log10((reference**2).sum() / noise))
    assert sqnr_db(actual, reference) == pytest.approx(10 * math.log10((actual**2).sum() / noise))
    result = accuracy("y", reference, actual)
    lengths = math.sqrt((reference**2).sum() * (actual**2).sum())
    assert result.cosine == pytest.approx((reference * actual).sum() / lengths, abs=1e-12)


def test_all_zeros_for_a_reference_has_cosine_0_and_sqnr_0() -> None:
    result = accuracy("y", np.float32([3, -4]), np.zeros(2, np.float32))
    assert (result.cosine, result.sqnr_db, result.max_abs, result.max_rel) == (0.0, 0.0, 4.0, 1.0)


def test_an_element_that_is_not_finite_in_the_reference_alone_leaves_the_others_figures() -> None:
    for value in (math.nan, math.inf, -math.inf):
        result = accuracy("y", np.float32([value, 10, 10]), np.float32([131008, 10, 11]))
        assert (result.nan, result.inf) == ((1, 0) if math.isnan(value) else (0, 1))
        assert result.sqnr_db == pytest.approx(10 * math.log10(200))
        assert (result.max_abs, result.max_rel) == (1.0, pytest.approx(0.1))
        assert result.cosine == pytest.approx(210 / math.sqrt(200 * 221))


def test_opposite_infinities_and_nan_for_infinity_are_counted_once_each() -> None:
    opposite = accuracy("y", np.float32([math.inf, 2]), np.float32([-math.inf, 2]))
    assert (opposite.nan, opposite.inf, opposite.sqnr_db) == (0, 1, math.inf)
    other = accuracy("y", np.float32([math.inf, 2]), np.float32([math.nan, 2]))
    assert (other.nan, other.inf) == (1, 0)
    several = accuracy("y", np.float32([math.nan, math.nan, math.inf, 1]), np.float32([1, 2, 3, 1]))
    assert (several.nan, several.inf) == (2, 1)


def test_the_figures_of_an_output_that_fails_are_all_as_bad_as_can_be() -> None:
    result = accuracy("y", np.float32([1, 2]), np.float32([1, math.nan]), ideal_fp16_sqnr_db=55.0)
    assert (result.name, result.max_abs, result.max_rel) == ("y", math.inf, math.inf)
    assert result.ideal_fp16_sqnr_db == 55.0


def test_complex_numbers_are_compared_by_real_and_imaginary_part() -> None:
    reference = np.array([[3 + 4j, 1j], [2, 5]], np.complex64)
    result = accuracy("y", reference, reference + np.complex64(0.5j) * np.float32([[1, 0], [0, 0]]))
    assert result.sqnr_db == pytest.approx(10 * math.log10((9 + 16 + 1 + 4 + 25) / 0.25))
    assert (result.max_abs, result.max_rel) == (0.5, 0.125)
    assert accuracy("y", reference.T, reference.T.copy()).sqnr_db == math.inf


def test_neighbours_of_large_integers_differ_by_one_and_equal_ones_do_not() -> None:
    large = np.int64([2**62, 2**62, -7])
    result = accuracy("y", large, large - np.int64([0, 1, 0]))
    assert (result.max_abs, accuracy("y", large, large.copy()).sqnr_db) == (1.0, math.inf)
    assert accuracy("y", np.uint64([2**63, 9]), np.uint64([2**63 + 1, 9])).max_abs == 1.0
    assert accuracy("y", np.int64([5, 9]), np.int64([3, 9])).max_abs == 2.0


def test_outputs_are_compared_by_name_in_the_order_of_the_reference() -> None:
    reference = {"b": np.float32([1, 2]), "a": np.float32([4])}
    results = compare_outputs(reference, {"a": np.float32([5]), "b": np.float32([1, 2])}, {"a": 71.0})
    assert [(item.name, item.max_abs, item.ideal_fp16_sqnr_db) for item in results] == [("b", 0, None), ("a", 1, 71.0)]
    with pytest.raises(QairtError, match="'b' exists on one side only"):
        compare_outputs(reference, {"a": np.float32([5])})
    with pytest.raises(QairtError, match=r"'a' has shape \[2\] where the reference has \[1\]"):
        compare_outputs({"a": np.float32([4])}, {"a": np.float32([4, 4])})
