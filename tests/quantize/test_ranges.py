"""Histograms keep what they saw, and ranges follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from aipc.quantize.calibrate.histogram import Histogram
from aipc.quantize.calibrate.ranges import range_of

METHODS = ("minmax", "percentile", "entropy", "mse")


def seen(*arrays: np.ndarray) -> Histogram:
    histogram = Histogram()
    for array in arrays:
        histogram.add(np.asarray(array, np.float32))
    return histogram


def test_the_order_of_samples_changes_nothing():
    draw = np.random.default_rng(0)
    parts = [draw.standard_normal(1000) * scale for scale in (0.01, 3.0, 100.0)]
    one, other = seen(*parts), seen(*reversed(parts))
    assert (one.low, one.high, one.radius, one.total) == (other.low, other.high, other.radius, other.total)
    # Only the bin that a value falls into at the first, narrower radius may differ by its rounding.
    assert np.abs(one.counts - other.counts).sum() <= 4


def test_nan_and_infinity_are_counted_and_change_no_range():
    histogram = seen([1.0, np.nan, -2.0, np.inf])
    assert (histogram.low, histogram.high, histogram.invalid) == (-2.0, 1.0, 2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "values",
    [[0.0], [-0.0, 0.0], [5.0], [-5.0], [1e-30], [3e38, -3e38], [np.nan], []],
    ids=["zero", "signed zero", "positive", "negative", "tiny", "huge", "nan", "empty"],
)
def test_every_range_holds_zero_and_has_a_width(method, values):
    low, high = range_of(seen(np.array(values, np.float32)), method, None, 8)
    assert low <= 0.0 <= high
    assert high - low >= 1e-4
    assert np.isfinite([low, high]).all()


def test_a_single_far_value_is_left_out_by_all_but_minmax():
    values = np.concatenate([np.random.default_rng(0).standard_normal(200_000), [1000.0]])
    assert range_of(seen(values), "minmax", None, 8)[1] == pytest.approx(1000.0)
    assert range_of(seen(values), "percentile", 99.99, 8)[1] < 10
    assert range_of(seen(values), "mse", None, 8)[1] < 1000
    assert range_of(seen(values), "entropy", None, 8)[1] < 1000


def test_the_mse_range_has_less_error_than_minmax_on_its_own_data():
    values = np.random.default_rng(1).laplace(size=100_000).astype(np.float32)

    def error(method: str) -> float:
        low, high = range_of(seen(values), method, None, 8)
        step = (high - low) / 255
        return float(((np.clip(np.round(values / step) * step, low, high) - values) ** 2).mean())

    assert error("mse") < 0.9 * error("minmax")


def test_16_bits_leave_room_for_what_no_sample_showed_and_8_have_none():
    histogram = seen([-1.0, 0.5, 2.0])
    assert range_of(histogram, "minmax", None, 16) == pytest.approx((-1.5, 3.0))
    assert range_of(histogram, "minmax", None, 8) == pytest.approx((-1.0, 2.0))
    low, high = range_of(seen([3e38, -3e38]), "minmax", None, 16)
    assert np.isfinite(np.float32(low)) and np.isfinite(np.float32(high))
