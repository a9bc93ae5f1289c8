"""A gate fails at the first output out of tolerance and tells rounding from wrong."""

from __future__ import annotations

import math

import pytest

from aipc.core.provenance import Provenance
from aipc.core.types import NodePlacement, OutputAccuracy, Placement, PlacementReport
from aipc.pipeline.gates import capture_gate, metric_gate, package_gate, placement_gate
from aipc.quantize.plan import plan_for
from aipc.quantize.quantization_results import TaskMetric


def output(sqnr: float, *, ideal: float | None = None, cosine: float = 1.0, nan: int = 0, name: str = "y"):
    return OutputAccuracy(name, cosine, sqnr, 0.1, 0.1, nan=nan, ideal_fp16_sqnr_db=ideal)


@pytest.mark.parametrize(("sqnr", "passes"), [(math.inf, True), (100.0, True), (99.9, False), (math.nan, False)])
def test_a_capture_needs_100_db(sqnr, passes):
    assert capture_gate([output(sqnr)], {}).ok is passes


@pytest.mark.parametrize(
    ("sqnr", "ideal", "passes"),
    [
        (65.0, 70.0, True),
        (40.0, None, True),
        (39.9, None, False),
        (34.1, 40.0, True),  # within 6 dB of what correct rounding gives
        (33.9, 40.0, False),
        (22.5, 47.5, False),  # far worse than rounding explains
        (19.0, 20.0, False),  # fp16 itself is too coarse
        (-3.0, -3.0, False),
        (math.nan, 70.0, False),
    ],
)
def test_a_package_needs_40_db_or_nearly_what_fp16_can_do(sqnr, ideal, passes):
    gate = package_gate([output(sqnr, ideal=ideal)], {})
    assert gate.ok is passes


def test_a_good_cosine_does_not_save_bad_numbers():
    assert not package_gate([output(12.0, cosine=0.996)], {}).ok


def test_nan_fails_whatever_the_figures():
    gate = package_gate([output(80.0, nan=2)], {})
    assert not gate.ok
    assert "2 NaN" in gate.detail


def test_nan_of_pytorch_s_own_is_not_laid_to_the_package():
    own = OutputAccuracy("y", 1.0, math.inf, 0.0, 0.0, nan=3)
    gate = package_gate([own], {})
    assert (
        not gate.ok
        and gate.detail == "PyTorch's own output y has 3 NaN and 0 infinite values where the package has numbers"
    )
    packages = OutputAccuracy("y", math.nan, -math.inf, math.inf, math.inf, nan=3)
    assert "that PyTorch has not" in package_gate([packages], {}).detail


def test_the_first_bad_output_is_named_and_the_worst_good_one():
    gate = package_gate([output(70.0, name="a"), output(10.0, name="b"), output(5.0, name="c")], {})
    assert "output b" in gate.detail
    assert package_gate([output(70.0, name="a"), output(60.0, name="b")], {}).value == 60.0


def test_a_tolerance_of_the_user_counts_alone():
    assert package_gate([output(31.0, ideal=30.0)], {"sqnr_db": 30.0}).ok
    assert not package_gate([output(49.0, ideal=49.0)], {"sqnr_db": 50.0}).ok
    assert package_gate([output(60.0, cosine=0.9)], {"cosine": 0.99}).metric == "cosine"


def test_no_output_is_no_success():
    assert not package_gate([], {}).ok


@pytest.mark.parametrize("precision", ["w8a16", "w8a8"])
@pytest.mark.parametrize(("sqnr", "passes"), [(20.0, True), (19.9, False), (math.nan, False)])
def test_integers_need_20_db_and_no_less_where_fp16_were_worse(precision, sqnr, passes):
    assert package_gate([output(sqnr, ideal=10.0)], {}, plan_for(precision)).ok is passes


def test_the_authors_own_tolerance_holds_for_integers_too():
    assert not package_gate([output(25.0)], {"sqnr_db": 30}, plan_for("w8a8")).ok
    assert package_gate([output(12.0)], {"sqnr_db": 10}, plan_for("w8a8")).ok


@pytest.mark.parametrize(
    ("tolerance", "passes"),
    [
        ({"cosine": 0.98}, True),
        ({"cosine": 0.99}, True),
        ({"cosine": 0.991}, False),
        ({"max_abs": 0.2}, True),
        ({"max_abs": 0.1}, True),
        ({"max_abs": 0.09}, False),
    ],
)
def test_cosine_and_largest_error_are_bounds_that_may_be_reached(tolerance, passes):
    assert package_gate([output(60.0, cosine=0.99)], tolerance).ok is passes


@pytest.mark.parametrize(
    ("value", "own", "tolerance", "passes"),
    [
        (0.71, 1.0, {}, True),
        (0.69, 1.0, {}, False),
        (0.3, 1.0, {"metric": 0.3}, True),
        (0.29, 1.0, {"metric": 0.3}, False),
        (0.5, None, {"metric": 0.4}, True),
        (0.0, 0.0, {}, None),
        (-1.0, -0.5, {}, None),
        (0.5, None, {}, None),
    ],
)
def test_a_task_metric_is_judged_by_the_author_s_threshold_or_by_pytorch_s_own(value, own, tolerance, passes):
    gate = metric_gate(TaskMetric("top-1", value, 4, own=own), tolerance)
    assert (gate and gate.ok) is passes


NPU, CPU, FAILS = Placement.NPU, Placement.CPU, Placement.FAILS
HINT = "--allow-cpu deploys them to the CPU"


@pytest.mark.parametrize(
    ("placements", "allow_cpu", "passes", "hint"),
    [
        ((NPU, NPU), False, True, False),
        ((NPU, CPU), False, False, True),
        ((NPU, CPU), True, True, False),
        ((NPU, FAILS), False, False, False),
        ((NPU, CPU, FAILS), False, False, False),
        ((NPU, FAILS), True, False, False),
        ((CPU, CPU), True, False, False),
    ],
)
def test_the_cpu_is_offered_only_where_it_is_the_way_out(placements, allow_cpu, passes, hint):
    nodes = tuple(NodePlacement(f"n{index}", "Op", placement) for index, placement in enumerate(placements))
    report = PlacementReport("sm8650", 75, "fp16", "2.51", nodes, 1)
    gate = placement_gate(report, Provenance(), allow_cpu=allow_cpu)
    assert (gate.ok, HINT in gate.detail) == (passes, hint)
