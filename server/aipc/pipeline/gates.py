"""The thresholds of the gates, and the checks on accuracy.

Why these: two fp32 executions of one graph differ only in the order of their sums and agree to 110 dB and more, so
100 dB separates a right capture from a wrong one. A healthy fp16 package has 60 to 70 dB; deep, narrow networks lose
more by rounding alone, so a package also passes when it is at most 6 dB (one bit) worse than a correctly rounded fp16
execution of the same graph. A fixed threshold alone would fail those and a cosine alone would pass wrong ones. Below
20 dB (an error of a tenth of the signal) the numbers are of no use, whoever is to blame: there fp16 is too coarse.

In integers that floor is the default threshold, with 8-bit and with 16-bit activations alike. A weight of 8 bits and a
scale a channel is off by 40 to 50 dB, and 50 layers add up to some 17 dB more noise, so a healthy w8a16 package has 20
to 40 dB and no fixed figure above the floor tells it from a sick one; what it is good for is told by the task metric,
which ``tolerance = { metric = ... }`` gates too. Held-out data judges it: on what calibrated, the ranges fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aipc.core.provenance import Provenance
from aipc.core.types import Gate, OutputAccuracy, Placement, PlacementReport
from aipc.quantize.plan import QuantizationPlan
from aipc.quantize.quantization_results import TaskMetric

CAPTURE_SQNR_DB = 100.0
PACKAGE_SQNR_DB = 40.0
IDEAL_MARGIN_DB = 6.0
FLOOR_SQNR_DB = 20.0
QUANTIZED_SQNR_DB = FLOOR_SQNR_DB
METRIC_SHARE = 0.7
"""Of the task metric that PyTorch's own outputs have. With four held-out samples one other answer leaves 0.75; the
packages measured have 0.75 to 1 where they are of use, and 0.01 to 0.5 where a detector has lost its boxes."""


def capture_threshold(tolerance: Mapping[str, float]) -> float:
    """What a captured graph in fp32 must reach against PyTorch in fp32, in dB of SQNR."""
    return tolerance.get("capture_sqnr_db", CAPTURE_SQNR_DB)


def capture_gate(outputs: Sequence[OutputAccuracy], tolerance: Mapping[str, float]) -> Gate:
    """The captured graph in fp32 against PyTorch in fp32."""
    return _accuracy_gate(outputs, capture_threshold(tolerance), ideal=False)


def placement_gate(report: PlacementReport, provenance: Provenance, *, allow_cpu: bool) -> Gate:
    """Every node of the placed graph runs on the NPU, or on the CPU where that is allowed.

    Args:
        provenance: of the placed graph: the gate names the nodes that it goes back to.
    """
    allowed = {Placement.NPU, Placement.CPU} if allow_cpu else {Placement.NPU}
    off = [node.node for node in report.nodes if node.placement not in allowed]
    # With nothing left for the NPU there is nothing to deploy, whatever is allowed.
    none = report.count(Placement.NPU) == 0
    detail = "QAIRT takes no node of this model" if none else ", ".join(off[:5])
    if off and not allow_cpu and report.count(Placement.FAILS) == 0:
        detail += "; --allow-cpu deploys them to the CPU"
    nodes = tuple(sorted(provenance.sources(off)))
    return Gate("nodes off the NPU", float(len(off)), 0.0, not off and not none, detail, nodes)


def package_gate(
    outputs: Sequence[OutputAccuracy], tolerance: Mapping[str, float], plan: QuantizationPlan | None = None
) -> Gate:
    """The package on its target against PyTorch in fp32. Cosine and max abs are checked when the user gave them.

    Args:
        plan: how the graph was quantized; None is fp16.
    """
    threshold = tolerance.get("sqnr_db", sqnr_threshold(plan))
    gate = _accuracy_gate(outputs, threshold, ideal="sqnr_db" not in tolerance and plan is None)
    if not gate.ok:
        return gate
    for output in outputs:
        if "cosine" in tolerance and not output.cosine >= tolerance["cosine"]:
            return Gate("cosine", output.cosine, tolerance["cosine"], False, f"output {output.name}")
        if "max_abs" in tolerance and not output.max_abs <= tolerance["max_abs"]:
            return Gate("max_abs", output.max_abs, tolerance["max_abs"], False, f"output {output.name}")
    return gate


def metric_gate(metric: TaskMetric, tolerance: Mapping[str, float]) -> Gate | None:
    """The configured task metric against the user's threshold, else against a share of what PyTorch's outputs give.

    None where there is neither: the metric says nothing of PyTorch's own outputs, or zero and less.
    """
    if "metric" in tolerance:
        wanted, detail = tolerance["metric"], ""
    elif metric.own is not None and metric.own > 0:
        wanted = METRIC_SHARE * metric.own
        detail = (
            f"PyTorch's own outputs have {metric.own:.4g}; set tolerance = {{ metric = ... }} for another threshold"
        )
    else:
        return None
    return Gate(metric.name, metric.value, wanted, metric.value >= wanted, detail)


def sqnr_threshold(plan: QuantizationPlan | None) -> float:
    """What a package of this plan must reach by default, in dB."""
    if plan is None:
        return PACKAGE_SQNR_DB
    return QUANTIZED_SQNR_DB


def _accuracy_gate(outputs: Sequence[OutputAccuracy], threshold: float, *, ideal: bool) -> Gate:
    """Fails at the first output out of tolerance, else tells the worst."""
    if not outputs:
        return Gate("sqnr_db", None, threshold, False, "there is no output to compare")
    for output in outputs:
        if output.nan or output.inf:
            counted = f"{output.nan} NaN and {output.inf} infinite values"
            message = f"output {output.name} has {counted} that PyTorch has not"
            if is_pytorchs_own(output):
                message = f"PyTorch's own output {output.name} has {counted} where the package has numbers"
            return Gate("sqnr_db", output.sqnr_db, threshold, False, message)
        allowed = _allowed(output, threshold, ideal)
        if not output.sqnr_db >= allowed:
            against = (
                f"; a correctly rounded fp16 run has {output.ideal_fp16_sqnr_db:.1f} dB"
                if output.ideal_fp16_sqnr_db is not None
                else ""
            )
            return Gate("sqnr_db", output.sqnr_db, allowed, False, f"output {output.name}{against}")
    worst = min(outputs, key=lambda output: output.sqnr_db)
    return Gate("sqnr_db", worst.sqnr_db, _allowed(worst, threshold, ideal), True, f"worst output {worst.name}")


def is_pytorchs_own(output: OutputAccuracy) -> bool:
    """Whether the NaN and infinite values that one side alone has are PyTorch's: numbers of the NPU are finite."""
    return bool(output.nan or output.inf) and not math.isnan(output.cosine)


def _allowed(output: OutputAccuracy, threshold: float, ideal: bool) -> float:
    """The threshold of one output: the fixed one, or what correct rounding gives less the margin, if that is lower."""
    if not ideal or output.ideal_fp16_sqnr_db is None or math.isnan(output.ideal_fp16_sqnr_db):
        return threshold
    return min(threshold, max(output.ideal_fp16_sqnr_db - IDEAL_MARGIN_DB, FLOOR_SQNR_DB))
