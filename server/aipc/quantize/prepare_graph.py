"""What is done to the float graph before it is quantized, and to the quantized graph after.

Each measure has a file; each says in a note what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx

from aipc.graph.index import Graph
from aipc.graph.opset import raise_opset

from .calibrate.moments import Moments
from .mixed_precision import higher_tensors, separate_constants
from .own_overrides import own_overrides
from .passes.clamp_tiny_weight_scales import raise_faint_scales
from .passes.equalize_channels import equalize
from .passes.fold_batch_norm import fold_batch_norms
from .passes.fold_constants import fold_constants
from .passes.fold_conv_bias_scale import drop_copies, fold_affine
from .passes.fuse_gelu_layer_norm import fuse
from .passes.keep_square_norms_16bit import square_norms
from .passes.limit_mask_constants import limit_far_constants
from .passes.rewrite_silu import other_gate
from .passes.round_weights import Overrides, round_weights
from .passes.share_state_ranges import share_states
from .plan import QuantizationPlan
from .take_out_scales import OwnQuantization, absorb_activations

_WIDEST = 32.0
"""8 bits over this leave the narrowest input of a Concat 8 steps."""

_MOVES = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Slice", "Gather"}

_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Concat", "Split"}

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
    higher: tuple[str, ...] = ()
    """Nodes that have 16 bits: those of the plan and others."""


def prepare(
    model: onnx.ModelProto,
    plan: QuantizationPlan,
    ranges: Ranges,
    moments: Mapping[str, Moments],
    memory: Path | None = None,
    wider: Callable[[str], tuple[float, float] | None] = lambda name: None,
    own: OwnQuantization | None = None,
) -> Prepared:
    """The graph with what quantizes better; computes the same in fp32 but for the order of sums.

    Args:
        ranges: of the activations, for the bits of the plan. wider: of one of them, for 16 bits.
        own: the quantization that the model brings along; its scales stay as they are.
    """
    own = own or OwnQuantization()
    graph, known, notes = Graph(raise_opset(model)), dict(ranges), []
    keep = frozenset(plan.float_nodes)
    if number := fold_constants(graph, keep):
        notes.append(f"{number} nodes that follow from shapes and constants are computed beforehand")
    if number := drop_copies(graph, keep):
        notes.append(f"{number} copies are left out")
    if number := fuse(graph, keep):
        notes.append(f"{number} operators that were spelled out in several nodes are one each")
    if plan.own and (number := absorb_activations(graph, own, keep)):
        notes.append(f"{number} activations are the range of the layer before them")
    if number := fold_affine(graph, keep):
        notes.append(f"{number} constants behind convolutions became part of them")
    if number := fold_batch_norms(graph, keep):
        notes.append(f"{number} batch normalizations became part of a convolution")
    if number := fold_affine(graph, keep):
        notes.append(f"{number} constants behind convolutions became part of them")
    if number := limit_far_constants(graph, known, keep, plan.activation_bits):
        notes.append(f"{number} constants of masks are limited to what the softmax behind them needs")
    gates = other_gate(graph, known, keep) if plan.activation_bits == 16 else ()
    if not plan.own and (pairs := share_states(graph, known, keep)):
        pair_names = ", ".join(f"{state} and {returned}" for state, returned in pairs)
        notes.append(f"{pair_names} are one state each and share an encoding")
    if plan.equalize:
        moments, number = equalize(graph, known, moments, keep)
        notes.append(f"the channels between {number} pairs of layers are equalized")
    higher = higher_nodes(plan, graph)
    if plan.activation_bits == 8 and not plan.own:
        higher = (*higher, *_needing_16_bits(graph, known, keep, notes))
        higher = tuple(dict.fromkeys(name for name in higher if name not in keep))
        wide = higher_tensors(graph.model, higher)
        for name in wide:
            # Other ranges than those of calibration come from measures above, which leave nothing out.
            if known.get(name) == ranges.get(name) and (wider_range := wider(name)):
                known[name] = wider_range
        gates = other_gate(graph, known, keep, wide)
        higher = (*higher, *gates)
        separate_constants(graph, higher)
    if gates:
        notes.append(
            f"{len(gates) // 3} SiLUs of 9 to 12 rows are written with tanh: their 16-bit form is computed wrongly"
        )
    overrides, number = round_weights(graph, moments, plan, keep, memory) if plan.adjust_weights else ({}, 0)
    if number:
        notes.append(f"the weights of {number} layers are rounded against the calibration data")
    # What the model brings along stands above what is worked out here.
    overrides = {**overrides, **own_overrides(graph, own)} if own else overrides
    if number := raise_faint_scales(graph, known, replace(plan, higher=higher), overrides, keep):
        notes.append(f"{number} channels with next to no weights have a larger scale: the NPU misses smaller ones")
    return Prepared(graph.model, known, plan.float_nodes, graph.derived, tuple(notes), overrides, higher)


def _needing_16_bits(graph: Graph, ranges: Ranges, keep: frozenset[str], notes: list[str]) -> tuple[str, ...]:
    """The nodes of an 8-bit graph that 8 bits are too few for in any model."""
    if wide := wide_joins(graph, ranges, keep):
        notes.append(f"{', '.join(wide)}: what is joined there has ranges too different for 8 bits and keeps 16")
    if norms := square_norms(graph, keep):
        notes.append(f"{len(norms)} nodes that divide by a mean of squares keep 16 bits: 8 hold no small squares")
    return (*wide, *norms)


def wide_joins(graph: Graph, ranges: Ranges, keep: frozenset[str]) -> tuple[str, ...]:
    """Concat nodes that join what one 8-bit encoding cannot hold: a detector's boxes in pixels and its scores below 1.

    The narrowest of their inputs would be left with a handful of steps. At 16 bits there are enough for both.
    """
    names = []
    for node in graph.model.graph.node:
        if node.op_type != "Concat" or node.name in keep:
            continue
        spans = [ranges[name][1] - ranges[name][0] for name in node.input if name in ranges]
        if len(spans) > 1 and max(spans) > _WIDEST * max(min(spans), 1e-9):
            names += [*_behind(graph, node, keep), node.name, *_carried(graph, node.output[0])]
    return tuple(dict.fromkeys(names))


def _behind(graph: Graph, join: onnx.NodeProto, keep: frozenset[str]) -> list[str]:
    """The arithmetic that makes what is joined: were it rounded to 8 bits on its way, 16 at its end would not help."""
    names: list[str] = []
    waiting = list(join.input)
    while waiting:
        maker = graph.producers.get(waiting.pop())
        if maker is None or maker.name in names or maker.name in keep or maker.op_type not in _ARITHMETIC | _MOVES:
            continue
        names.append(maker.name)
        waiting += list(maker.input)
    return names


def _carried(graph: Graph, tensor: str) -> list[str]:
    """The nodes behind that only move the values of ``tensor``."""
    names: list[str] = []
    while (consumer := graph.sole_consumer(tensor)) is not None and consumer.op_type in _MOVES:
        names.append(consumer.name)
        tensor = consumer.output[0]
    return names


def higher_nodes(plan: QuantizationPlan, graph: Graph) -> tuple[str, ...]:
    """The plan's nodes by the names of the prepared graph: a folded one is part of another now."""
    nodes = set(plan.higher)
    derived = [name for name, sources in graph.derived.items() if nodes.intersection(sources)]
    return tuple(dict.fromkeys((*plan.higher, *derived)))
