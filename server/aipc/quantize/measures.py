"""What is done to the float graph before it is quantized, and to the quantized graph after.

Each measure has a file; each says in a note what it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnx

from .batch_norm import fold_batch_norms
from .graph import Graph
from .moments import Moments
from .plan import QuantizationPlan
from .rounding import Overrides, round_weights
from .silu import other_gate

Ranges = Mapping[str, tuple[float, float]]


@dataclass(slots=True)
class Prepared:
    """A float graph ready to be quantized. ``derived``: nodes that are new -> nodes of the graph they came from."""

    model: onnx.ModelProto
    ranges: dict[str, tuple[float, float]]
    float_nodes: tuple[str, ...]
    derived: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    overrides: Overrides = field(default_factory=dict)
    """Encodings of weights that were rounded already."""


def prepare(
    model: onnx.ModelProto, plan: QuantizationPlan, ranges: Ranges, moments: Mapping[str, Moments]
) -> Prepared:
    """The graph with what quantizes better; computes the same in fp32 but for the order of sums."""
    graph, known, notes = Graph(model), dict(ranges), []
    keep = frozenset(plan.float_nodes)
    if number := fold_batch_norms(graph, keep):
        notes.append(f"{number} batch normalizations became part of a convolution")
    if plan.activation_bits == 16 and (number := other_gate(graph, known, keep)):
        notes.append(f"{number} SiLUs of 9 to 12 rows are written with tanh: their 16-bit form is computed wrongly")
    overrides, number = round_weights(graph, moments, plan, keep) if plan.adjust_weights else ({}, 0)
    if number:
        notes.append(f"the weights of {number} layers are rounded against the calibration data")
    return Prepared(graph.model, known, plan.float_nodes, graph.derived, tuple(notes), overrides)


def finish(model: onnx.ModelProto, plan: QuantizationPlan) -> None:
    """What the quantized graph needs besides."""
