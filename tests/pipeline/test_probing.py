"""What the package's figures on a probe mean: a fault, a limit of the precision, or nothing to complain of."""

from __future__ import annotations

import math

import pytest

from aipc.core.probes import ProbeResult, ProbeStatus
from aipc.core.types import OutputAccuracy
from aipc.pipeline.gates import metric_gate
from aipc.pipeline.probing import left_out_reason, on_graph, on_package, on_rewritten, probes_gate, worst_probe
from aipc.probes.examination import Cause, Divergence, PackageProbe, ProbeRun
from aipc.quantize.plan import plan_for
from aipc.quantize.quantization_results import TaskMetric


def figures(sqnr: float, ideal: float | None = None, nan: int = 0):
    return (OutputAccuracy("y", 1.0, sqnr, 0.1, 0.1, nan=nan, ideal_fp16_sqnr_db=ideal),)


def probe(kind="mask", *, edge=False, outside=False, fp32=140.0, nan=0, divergence=None):
    return ProbeRun(
        name="p",
        title="a `p`",
        kind=kind,
        edge=edge,
        outside=outside,
        inputs=("p",),
        finite=True,
        accuracy=figures(fp32, nan=nan),
        divergence=divergence,
    )


def judged(item, package, ideal=None, *, tolerance=None, precision=None, usual=None):
    found = PackageProbe(
        name="p",
        accuracy=figures(package, ideal),
        ideal=figures(ideal) if ideal is not None else (),
        usual_db={} if usual is None else {"y": usual},
    )
    plan = plan_for(precision) if precision else None
    return on_package(on_graph(item, {}), item, found, tolerance or {}, plan).status


PASSED, FAILED, LIMIT, LEFT_OUT = ProbeStatus.PASSED, ProbeStatus.FAILED, ProbeStatus.LIMIT, ProbeStatus.LEFT_OUT


@pytest.mark.parametrize(
    ("item", "package", "ideal", "status"),
    [
        (probe(), 40.0, None, PASSED),
        (probe(), 39.0, 70.0, FAILED),
        (probe(edge=True), 12.0, 70.0, FAILED),  # the NPU is wrong where fp16 is not
        (probe(), 34.5, 40.0, PASSED),  # within the margin of what correct rounding gives
        (probe(), 10.0, 12.0, FAILED),  # a mask that batches have, and fp16 is too coarse for it
        (probe(edge=True), 10.0, 12.0, LIMIT),
        (probe("picture"), 10.0, 12.0, LIMIT),  # nobody knows whether such a picture comes
        (probe("picture"), 10.0, 60.0, FAILED),
        (probe("sample"), 10.0, 12.0, FAILED),
        (probe("real", edge=True, outside=True), 10.0, 60.0, LIMIT),
    ],
)
def test_a_package_in_fp16_is_held_to_what_correct_rounding_can_do_on_that_input(item, package, ideal, status):
    assert judged(item, package, ideal) is status


@pytest.mark.parametrize(
    ("usual", "precision", "status"),
    [(31.0, "w8a8", LIMIT), (19.0, "w8a8", FAILED), (None, "w8a8", FAILED), (41.0, None, FAILED)],
)
def test_small_outputs_are_held_to_the_steps_that_the_held_out_samples_made(usual, precision, status):
    assert judged(probe("picture"), 15.0, 60.0, precision=precision, usual=usual) is status


@pytest.mark.parametrize(
    ("item", "package", "ideal", "status"),
    [
        (probe(), 20.0, None, PASSED),
        (probe(), 15.0, 30.0, FAILED),
        (probe(), 15.0, 15.0, FAILED),
        (probe("picture"), 15.0, 15.0, LIMIT),
        (probe("picture"), 15.0, 30.0, FAILED),
        (probe("picture"), 15.0, None, LIMIT),  # it takes integers: there is no other run to compare with
        (probe("index"), 15.0, None, FAILED),
    ],
)
def test_a_package_in_integers_is_held_to_its_own_graph_on_the_cpu(item, package, ideal, status):
    assert judged(item, package, ideal, precision="w8a8") is status


def test_a_threshold_of_the_user_holds_for_probes_too():
    assert judged(probe(), 31.0, 60.0, tolerance={"sqnr_db": 30.0}) is PASSED
    assert judged(probe(), 49.0, 60.0, tolerance={"sqnr_db": 50.0}) is FAILED


@pytest.mark.parametrize(
    ("cause", "floor", "status"),
    [
        (Cause.EXPORT, 140.0, FAILED),
        (Cause.RANDOM, None, FAILED),
        (Cause.PRECISION, 60.0, PASSED),
        (Cause.PRECISION, 59.0, LEFT_OUT),
        (Cause.TIES, None, LEFT_OUT),
    ],
)
def test_a_graph_that_differs_in_fp32_is_a_fault_unless_it_only_rounds(cause, floor, status):
    item = probe(fp32=70.0, divergence=Divergence(cause=cause, floor_db=floor, exact_db=120.0))
    assert on_graph(item, {}).status is status


def test_a_graph_that_differs_for_a_reason_that_nobody_found_fails():
    assert on_graph(probe(fp32=99.0), {}).status is FAILED
    assert on_graph(probe(nan=1), {}).status is FAILED
    assert on_graph(probe(fp32=99.0), {"capture_sqnr_db": 90.0}).status is PASSED


def test_the_reason_says_how_far_pytorch_itself_is():
    found = left_out_reason(Divergence(cause=Cause.PRECISION, floor_db=97.6, exact_db=102.2))
    assert found == "PyTorch's own fp32 is only good to 98 dB here; in fp64 both agree to 102 dB"


def result(name, status=PASSED, package=None, graph=140.0):
    return ProbeResult(
        name=name, title=name, kind="mask", status=status, graph_sqnr_db=graph, package_sqnr_db=package, output="y"
    )


def test_the_gate_names_the_first_failure_and_how_many_follow():
    gate = probes_gate([result("a"), result("b", FAILED, 12.0), result("c", FAILED, 3.0)], 40.0)
    assert not gate.ok
    assert gate.value == 12.0
    assert gate.detail.startswith("output y on b: ")
    assert gate.detail.endswith("; 1 more probes fail")
    assert probes_gate([result("a"), result("b", LIMIT, 1.0), result("c", LEFT_OUT)], 40.0).ok


def test_the_worst_probe_is_one_that_ran_and_passed():
    items = [result("a", package=60.0), result("b", package=50.0), result("c", LIMIT, 5.0), result("d")]
    assert worst_probe(items).name == "b"
    assert worst_probe([result("d")]) is None
    assert worst_probe([result("a", package=math.inf), result("b", package=70.0)]).name == "b"


@pytest.mark.parametrize(
    ("value", "own", "tolerance", "ok"),
    [
        (0.0105, 1.0, {}, False),
        (0.7, 1.0, {}, True),
        (0.69, 1.0, {}, False),
        (0.5, 0.6, {}, True),
        (0.5, 1.0, {"metric": 0.4}, True),
        (0.5, 0.5, {"metric": 0.6}, False),
    ],
)
def test_a_metric_is_held_to_a_share_of_pytorch_s_own_unless_the_user_says_otherwise(value, own, tolerance, ok):
    assert metric_gate(TaskMetric("detection", value, 4, own), tolerance).ok is ok


def test_a_metric_that_says_nothing_of_pytorch_has_no_default_threshold():
    assert metric_gate(TaskMetric("loss", -0.3, 4, 0.0), {}) is None
    assert metric_gate(TaskMetric("other", 0.3, 4), {}) is None


def test_a_mask_that_needs_infinities_fails_however_extreme_it_is():
    of = probe(edge=True)
    low = PackageProbe(name="p", accuracy=figures(8.0), ideal=figures(8.0), ieee=figures(60.0))
    failed = on_package(on_graph(of, {}), of, low, {}, None)
    assert failed.status is ProbeStatus.FAILED
    assert "infinities" in failed.reason
    none_better = PackageProbe(name="p", accuracy=figures(8.0), ideal=figures(8.0), ieee=figures(8.0))
    assert on_package(on_graph(of, {}), of, none_better, {}, None).status is ProbeStatus.LIMIT


def test_a_rewritten_graph_may_lose_one_bit_more_where_fp32_itself_rounds():
    rounding = Divergence(cause=Cause.PRECISION, floor_db=90.0, exact_db=150.0)
    of = probe(fp32=77.0, divergence=rounding)
    result = on_graph(of, {})
    assert result.status is ProbeStatus.PASSED
    assert on_rewritten(result, of, figures(72.0), {}).status is ProbeStatus.PASSED
    assert on_rewritten(result, of, figures(70.0), {}).status is ProbeStatus.FAILED
    assert on_rewritten(result, of, figures(76.0, nan=1), {}).status is ProbeStatus.FAILED
    exact = probe(fp32=140.0)
    assert on_rewritten(on_graph(exact, {}), exact, figures(99.0), {}).status is ProbeStatus.FAILED
