"""Histograms keep what they saw, and ranges follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aipc.quantize.calibrate.histogram import BINS, Histogram
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


def test_headroom_is_for_16_bit_minmax_alone_and_stops_at_the_largest_float32():
    histogram = seen([-1.0, 0.5, 2.0])
    assert range_of(histogram, "minmax", None, 15) == pytest.approx((-1.0, 2.0))
    assert range_of(histogram, "minmax", None, 32) == pytest.approx((-1.5, 3.0))
    for method in ("percentile", "mse", "entropy"):
        low, high = range_of(histogram, method, None, 16)
        assert low >= -1.001 and high <= 2.001
    largest = float(np.finfo(np.float32).max)
    assert range_of(seen([3e38, -1e38]), "minmax", None, 16) == (pytest.approx(-1.5e38), largest)
    assert range_of(seen([1e38, -3e38]), "minmax", None, 16) == (-largest, pytest.approx(1.5e38))


def test_a_narrow_range_keeps_its_low_end_and_is_widened_upwards():
    assert range_of(seen([0.0]), "minmax", None, 8) == (0.0, 1e-4)
    low, high = range_of(seen([-3e-5, 2e-5]), "minmax", None, 8)
    assert (low, high - low) == pytest.approx((-3e-5, 1e-4))
    assert range_of(seen([-1e-4, 1e-4]), "minmax", None, 8) == pytest.approx((-1e-4, 1e-4))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sign", [1, -1])
def test_values_of_one_sign_have_zero_at_the_other_end(method, sign):
    values = np.random.default_rng(3).uniform(2.0, 3.0, 20_000)
    low, high = sorted(sign * end for end in range_of(seen(sign * values), method, None, 8))
    assert low == 0.0
    assert 2.5 < high < 3.001


@pytest.mark.parametrize("percent", [90.0, 99.0, 99.9])
def test_a_percentile_leaves_out_half_of_the_rest_at_each_end(percent):
    values = np.linspace(-1.0, 3.0, 40_001)
    tail = (100 - percent) / 2
    wanted = np.percentile(values, tail), np.percentile(values, 100 - tail)
    width = 2 * 4.0 / BINS
    assert range_of(seen(values), "percentile", percent, 8) == pytest.approx(wanted, abs=2 * width)


def test_the_percentile_is_99_999_unless_another_is_asked_for():
    values = np.concatenate([np.random.default_rng(0).uniform(-1, 1, 250_000), [9.0, 9.0, -9.0]])
    histogram = seen(values)
    assert range_of(histogram, "percentile", None, 8) == range_of(histogram, "percentile", 99.999, 8)
    low, high = range_of(histogram, "percentile", None, 8)
    assert low > -9.0 and high > 8.9  # an end loses 5e-6 of all: one value, not two
    assert range_of(histogram, "percentile", 100.0, 8) == pytest.approx((-9.0, 9.0))


def test_zeros_count_in_a_percentile():
    values = np.concatenate([np.zeros(9_000), np.linspace(1.0, 2.0, 1_000)])
    _, high = range_of(seen(values), "percentile", 90.0, 8)
    assert high == pytest.approx(1.5, abs=0.01)  # the 95th percentile of all, not of those that are not zero


def by_formula(values: np.ndarray, bits: int) -> tuple[float, float]:
    """The pair with the least squared error: step**2 / 12 inside, the distance to the end outside."""
    shares = np.linspace(1.0, 0.05, 48)
    best, ends = np.inf, (0.0, 0.0)
    for high in shares * max(values.max(), 0.0):
        for low in shares * min(values.min(), 0.0):
            step = (high - low) / (2**bits - 1)
            error = ((values - np.clip(values, low, high)) ** 2).sum() + values.size * step**2 / 12
            if error < best:
                best, ends = error, (low, high)
    return ends


@pytest.mark.parametrize("bits", [3, 4, 6])
@pytest.mark.parametrize("scales", [(1.0, 1.0), (0.3, 2.0), (2.0, 0.3)], ids=["even", "right", "left"])
def test_the_mse_range_is_the_best_pair_of_its_grid(bits, scales):
    values = np.random.default_rng(bits).laplace(size=4_000).astype(np.float32)
    values *= np.where(values < 0, *scales).astype(np.float32)
    assert range_of(seen(values), "mse", None, bits) == pytest.approx(by_formula(values, bits), rel=0.021)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_mse_range_of_one_sign_is_the_best_of_its_grid(sign):
    values = sign * np.abs(np.random.default_rng(5).laplace(size=4_000)).astype(np.float32)
    low, high = range_of(seen(values), "mse", None, 4)
    assert (low, high) == pytest.approx(by_formula(values, 4), rel=1e-6)
    assert abs(low + high) < 0.9 * np.abs(values).max()


def divergence(histogram: Histogram, low: float, high: float, levels: int) -> float:
    """Of Migacz' method, a bin and a level at a time."""
    counts = [float(count) for count in histogram.counts]
    counts[BINS // 2] += histogram.zeros
    bins = [k for k, center in enumerate(histogram.centers()) if low <= center <= high]
    kept = [counts[k] for k in bins]
    clipped = [*kept]
    clipped[0] += sum(counts[: bins[0]])
    clipped[-1] += sum(counts[bins[-1] + 1 :])
    quantized = [0.0] * len(kept)
    for level in range(levels):
        members = [k for k in range(len(kept)) if k * levels // len(kept) == level and kept[k]]
        for k in members:
            quantized[k] = sum(kept[m] for m in members) / len(members)
    total, other = sum(clipped), sum(quantized)
    return sum(
        p / total * math.log(p / total / max(q / other, 1e-12)) for p, q in zip(clipped, quantized, strict=True) if p
    )


@pytest.mark.parametrize("bits", [3, 5])
def test_the_entropy_range_has_the_least_divergence_of_its_grid(bits):
    draw = np.random.default_rng(bits)
    histogram = seen(np.concatenate([draw.normal(0.5, 1.0, 20_000), np.zeros(2_000), draw.uniform(-8, 12, 4)]))
    shares = np.linspace(1.0, 0.2, 48)
    divergences = [divergence(histogram, share * histogram.low, share * histogram.high, 2**bits) for share in shares]
    best = shares[int(np.argmin(divergences))]
    assert 0.2 < best < 1.0
    assert range_of(histogram, "entropy", None, bits) == pytest.approx((best * histogram.low, best * histogram.high))


def test_the_entropy_range_knows_256_levels_at_the_most():
    histogram = seen(np.random.default_rng(7).standard_t(3, 20_000))
    assert range_of(histogram, "entropy", None, 16) == range_of(histogram, "entropy", None, 8)
    assert range_of(histogram, "entropy", None, 8) != range_of(histogram, "entropy", None, 4)
