"""Channels with next to no weights: a scale that the NPU's integers reach.

One scale for each output channel gives a channel whose weights are near zero, as training with weight decay leaves
them, a scale as near to zero. The NPU multiplies its sums by scale of the input x scale of the weights / scale of the
output; with 16-bit activations and a factor below 2^-24 to 2^-28 the channel comes out as the lowest or highest value
there is, on v68 and v75 alike (QAIRT 2.51), where the same integers on the CPU give a constant. A larger scale costs
such a channel less than a step of its output.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import onnx

from aipc.graph.index import Array, Graph, attribute
from aipc.quantize.mixed_precision import higher_tensors
from aipc.quantize.plan import QuantizationPlan

from .round_weights import Overrides, channel_encodings, weight_type

SMALLEST = 2.0**-22
"""The least factor that a channel is left with."""
_LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


def raise_faint_scales(
    graph: Graph,
    ranges: Mapping[str, tuple[float, float]],
    plan: QuantizationPlan,
    overrides: Overrides,
    keep: frozenset[str],
) -> int:
    """Add to ``overrides`` the weights with such channels; how many channels those are.

    Args:
        plan: ``higher`` names the nodes of an 8-bit graph whose outputs have 16 bits.
    """
    if not plan.per_channel:
        return 0
    wide = set(higher_tensors(graph.model, plan.higher))
    limit, number = 2 ** (plan.weight_bits - 1) - 1, 0
    for node in graph.model.graph.node:
        if node.op_type not in _LAYERS or node.name in keep or len(graph.consumers[node.input[1]]) != 1:
            continue
        name, weight = node.input[1], graph.array(node.input[1])
        steps = [_step(graph, ranges, tensor, plan, wide) for tensor in (node.input[0], node.output[0])]
        if weight is None or weight.ndim < 2 or not all(steps):
            continue
        axis = _output_axis(node, weight)
        known = overrides.get(name)
        if known:
            scales = np.array([float(item["scale"]) for item in known])
        else:
            others = tuple(index for index in range(weight.ndim) if index != axis)
            scales = np.abs(weight).max(axis=others).astype(np.float64) / limit
        least = SMALLEST * steps[1] / steps[0]
        faint = int(np.count_nonzero(scales < least))
        if faint and scales.size > 1:
            overrides[name] = channel_encodings(np.maximum(scales, least), weight_type(plan), axis)
            number += faint
    return number


def _output_axis(node: onnx.NodeProto, weight: Array) -> int:
    """The axis of a weight that has one entry for each output channel."""
    if node.op_type == "Gemm":
        return 0 if attribute(node, "transB", 0) else 1
    return {"Conv": 0, "ConvTranspose": 1, "MatMul": weight.ndim - 1}[node.op_type]


def _step(
    graph: Graph, ranges: Mapping[str, tuple[float, float]], tensor: str, plan: QuantizationPlan, wide: Collection[str]
) -> float:
    """The scale of a tensor, or of the activation that is one operator with it; 0: not known."""
    if tensor not in ranges and (consumer := graph.sole_consumer(tensor)) is not None:
        tensor = consumer.output[0]
    low, high = ranges.get(tensor, (0.0, 0.0))
    bits = 16 if tensor in wide else plan.activation_bits
    return float(max(high, 0.0) - min(low, 0.0)) / int(2**bits - 1)
