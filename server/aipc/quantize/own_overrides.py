"""A model's own scales in the words of onnxruntime's quantizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import TensorProto

from aipc.graph.index import Array, Graph

from .passes.round_weights import Overrides
from .take_out_scales import LAYERS, Encoding, OwnQuantization

_GRID = 0.02
"""Of a step: what folding a scale into weights in fp32 and out again may leave."""


def own_overrides(graph: Graph, own: OwnQuantization) -> Overrides:
    """What onnxruntime's quantizer must take for the tensors of the prepared ``graph``."""
    from onnxruntime.quantization import QuantType

    tensors = {value.name for value in graph.model.graph.input} | set(graph.producers)
    types = {8: (QuantType.QUInt8, np.uint8), 16: (QuantType.QUInt16, np.uint16)}
    overrides: Overrides = {}
    for name, encoding in own.activations.items():
        if name in tensors and encoding.bits in types:
            kind, dtype = types[encoding.bits]
            scale, zero = encoding.unsigned()
            overrides[name] = [{"quant_type": kind, "scale": np.array(scale), "zero_point": np.array(zero, dtype)}]
    for name, encoding in _constants(graph, own):
        if (override := _weight_override(encoding)) is not None:
            overrides[name] = override
    return overrides


def _constants(graph: Graph, own: OwnQuantization) -> Iterator[tuple[str, Encoding]]:
    """Every weight of the prepared graph that has an encoding; what was folded into it changed its scale as well."""
    for name, (_, encoding) in own.weights.items():
        if name in graph.constants:
            yield name, encoding
    for node in graph.model.graph.node:
        before = own.layers.get(node.name)
        if before is None or node.op_type not in LAYERS or node.input[1] == before:
            continue
        value, (original, encoding) = graph.array(node.input[1]), own.weights[before]
        if value is not None and value.shape == original.shape and (override := _scaled(value, original, encoding)):
            yield node.input[1], override


def _scaled(value: Array, original: Array, encoding: Encoding) -> Encoding | None:
    """The encoding of weights whose output channels were multiplied; None where they left the grid."""
    axis = encoding.axis if encoding.scale.size > 1 else 0
    rest = tuple(index for index in range(value.ndim) if index != axis)
    power = np.maximum((original.astype(np.float64) ** 2).sum(rest), 1e-30)
    factor = (value.astype(np.float64) * original).sum(rest) / power
    scale = np.abs(factor) * encoding.scale.astype(np.float64)
    if np.any(encoding.zero) or np.any(factor <= 0):
        return None
    if np.allclose(scale, scale.ravel()[0], rtol=1e-5):
        scale = scale.ravel()[:1]
    shape = [1] * value.ndim
    shape[axis] = -1
    steps = value / scale.reshape(shape if scale.size > 1 else [])
    if np.abs(steps - np.rint(steps)).max() > _GRID:
        return None
    return Encoding(scale.astype(np.float32), np.zeros(scale.shape, np.int64), encoding.kind, axis)


def _weight_override(encoding: Encoding) -> list[dict[str, Any]] | None:
    from onnxruntime.quantization import QuantType

    kinds: dict[int, QuantType] = {
        TensorProto.INT4: QuantType.QInt4,
        TensorProto.INT8: QuantType.QInt8,
        TensorProto.INT16: QuantType.QInt16,
        TensorProto.UINT8: QuantType.QUInt8,
    }
    kind = kinds.get(encoding.kind)
    if kind is None or (encoding.scale.size > 1 and np.any(encoding.zero)):
        # QAIRT takes one scale for each channel of symmetric weights only.
        return None
    zeros = np.broadcast_to(encoding.zero.ravel(), encoding.scale.size)
    channels = [
        {"quant_type": kind, "scale": np.float32(scale), "zero_point": int(zero)}
        for scale, zero in zip(encoding.scale.ravel(), zeros, strict=True)
    ]
    if len(channels) > 1:
        channels[0]["axis"] = encoding.axis
    return channels
