"""Round weights so that a layer's outputs change least on the calibration data, instead of each weight by itself.

One input at a time is rounded, and what that does to the outputs is made up for by the inputs that are still free, as
their second moments tell (Frantar et al., "GPTQ", arXiv:2210.17323, after Hassibi and Stork's Optimal Brain Surgeon).
Then the bias takes up what is left of the mean error (Nagel et al., "Data-Free Quantization", arXiv:1906.04721).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from aipc.core.errors import StorageError
from aipc.graph.index import Graph
from aipc.numerics.npz import write_npz
from aipc.quantize.calibrate.moments import Layer, Moments, layers_of, weight_back, weight_rows
from aipc.quantize.plan import QuantizationPlan

Array = np.ndarray[Any, Any]
Overrides = dict[str, list[dict[str, Any]]]

_BLOCK = 128
_DAMPING = 0.01
_SHRINKS = {4: np.linspace(1.0, 0.5, 21), 8: np.linspace(1.0, 0.8, 9), 16: np.array([1.0])}


def round_weights(
    graph: Graph, moments: Mapping[str, Moments], plan: QuantizationPlan, keep: frozenset[str], memory: Path | None
) -> tuple[Overrides, int]:
    """Replace the weights of ``graph`` by rounded ones; their encodings, and how many layers that were.

    Args:
        memory: a directory for what was rounded: activations of another width do not change the weights.
    """
    kind = weight_type(plan)
    limit = 2 ** (plan.weight_bits - 1) - 1
    overrides: Overrides = {}
    known_before = _Memory(memory, plan)
    for layer in layers_of(graph.model):
        node = next(item for item in graph.model.graph.node if item.name == layer.node)
        known, weight = moments.get(layer.node), graph.array(node.input[1])
        if known is None or weight is None or layer.node in keep or len(graph.consumers[node.input[1]]) != 1:
            continue
        rows = weight_rows(layer.op, weight.astype(np.float64), layer.groups, layer.transposed)
        if rows.shape[2] != known.second.shape[1] or rows.shape[0] != known.second.shape[0] or known.count < 8:
            continue
        rounding = known_before.find(layer.node, weight)
        if rounding is None:
            second = known.second.astype(np.float64) / known.count
            scale = _scales(rows, second, limit, plan)
            rounded = _rounded(rows, second, scale, limit)
            known_before.keep(layer.node, weight, rounded, scale)
        else:
            rounded, scale = rounding
        _correct_bias(graph, node, layer, rows - rounded, known.mean.astype(np.float64))
        back = weight_back(layer.op, rounded, weight.shape, layer.transposed).astype(np.float32)
        graph.constants[node.input[1]].CopyFrom(numpy_helper.from_array(back, node.input[1]))
        overrides[node.input[1]] = _encoding(layer, scale, kind, per_channel=plan.per_channel)
    known_before.write()
    return overrides, len(overrides)


class _Memory:
    """What was rounded before from the same weights, in one file beside the statistics."""

    def __init__(self, directory: Path | None, plan: QuantizationPlan) -> None:
        way = "channels" if plan.per_channel else "tensor"
        self._path = directory / f"rounded-{plan.weight_bits}-{way}.npz" if directory else None
        self._arrays: dict[str, Array] = {}
        self._new = False
        try:
            if self._path and self._path.is_file():
                with np.load(self._path) as data:
                    self._arrays = {name: data[name] for name in data.files}
        except (OSError, ValueError):
            self._arrays = {}

    def find(self, node: str, weight: Array) -> tuple[Array, Array] | None:
        key = _key(node, weight)
        if f"{key}.steps" not in self._arrays:
            return None
        scale = self._arrays[f"{key}.scale"].astype(np.float64)
        return self._arrays[f"{key}.steps"] * scale, scale

    def keep(self, node: str, weight: Array, rounded: Array, scale: Array) -> None:
        key = _key(node, weight)
        self._arrays[f"{key}.steps"] = np.round(rounded / scale).astype(np.int16)
        self._arrays[f"{key}.scale"] = scale.astype(np.float32)
        self._new = True

    def write(self) -> None:
        if self._path is None or not self._new:
            return
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp.npz")
        # Without it the next call only takes longer.
        with suppress(OSError, StorageError):
            write_npz(temporary, self._arrays)
            temporary.replace(self._path)


def _key(node: str, weight: Array) -> str:
    return hashlib.sha256(node.encode() + np.ascontiguousarray(weight).tobytes()).hexdigest()[:24]


def weight_type(plan: QuantizationPlan) -> Any:
    """onnxruntime's name for the integers of the weights."""
    from onnxruntime.quantization import QuantType

    return {4: QuantType.QInt4, 8: QuantType.QInt8, 16: QuantType.QInt16}[plan.weight_bits]


def channel_encodings(scales: Array, kind: Any, axis: int) -> list[dict[str, Any]]:
    """What onnxruntime's quantizer takes for a weight with float ``scales`` ``[channels]`` along ``axis``."""
    channels = [{"quant_type": kind, "scale": np.float32(value), "zero_point": 0} for value in scales.ravel()]
    channels[0]["axis"] = axis
    return channels


def _encoding(layer: Layer, scale: Array, kind: Any, *, per_channel: bool) -> list[dict[str, Any]]:
    if not per_channel:
        return [{"quant_type": kind, "scale": np.float32(scale.max()), "zero_point": 0}]
    return channel_encodings(scale, kind, 0 if layer.op == "Conv" or layer.transposed else 1)


def _scales(rows: Array, second: Array, limit: int, plan: QuantizationPlan) -> Array:
    """[groups, outputs, 1]: of the ends shrunk a little by little, the one with the least error on this data."""
    peak = np.abs(rows).max(2, keepdims=True)
    if not plan.per_channel:
        peak = np.broadcast_to(peak.max(), peak.shape)
    peak = np.maximum(peak, 1e-8)
    importance = np.diagonal(second, axis1=1, axis2=2)[:, None, :]
    best, least = peak / limit, np.full(peak.shape, np.inf)
    for share in _SHRINKS[plan.weight_bits] if plan.per_channel else (1.0,):
        scale = share * peak / limit
        error = rows - np.clip(np.round(rows / scale), -limit, limit) * scale
        total = (error**2 * importance).sum(2, keepdims=True)
        better = total < least
        best, least = np.where(better, scale, best), np.where(better, total, least)
    # As float32 keeps them: the quantizer divides by these.
    return np.asarray(best, np.float32).astype(np.float64)


def _rounded(rows: Array, second: Array, scale: Array, limit: int) -> Array:
    groups, _, size = rows.shape
    diagonal = np.diagonal(second, axis1=1, axis2=2)
    order = np.argsort(-diagonal, axis=1, kind="stable")
    work = np.take_along_axis(rows, order[:, None, :], 2)
    moments = np.stack([second[group][np.ix_(order[group], order[group])] for group in range(groups)])
    damping = _DAMPING * diagonal.mean(1) + 1e-12
    moments += damping[:, None, None] * np.eye(size)
    factor = _inverse_factor(moments)
    result = np.empty_like(work)
    for start in range(0, size, _BLOCK):
        end = min(start + _BLOCK, size)
        errors = np.empty((*work.shape[:2], end - start))
        for column in range(start, end):
            value = work[:, :, column]
            result[:, :, column] = np.clip(np.round(value / scale[..., 0]), -limit, limit) * scale[..., 0]
            error = (value - result[:, :, column]) / factor[:, column, column][:, None]
            work[:, :, column + 1 : end] -= error[..., None] * factor[:, None, column, column + 1 : end]
            errors[:, :, column - start] = error
        work[:, :, end:] -= errors @ factor[:, start:end, end:]
    back = np.argsort(order, axis=1)
    return np.take_along_axis(result, back[:, None, :], 2)


def _inverse_factor(moments: Array) -> Array:
    """The upper triangle U with U^T U = M^-1: row i says how the inputs after i make up for an error in i.

    With the order of rows and columns turned round, M = L L^T gives M = R R^T with R an upper triangle, and U = R^-1:
    one factorization and one triangle to invert, where the inverse of M and its factor cost several times as much.
    """
    import torch

    turned = torch.from_numpy(np.ascontiguousarray(moments[:, ::-1, ::-1]))
    lower = torch.linalg.cholesky(turned)
    upper = torch.flip(lower, (1, 2))
    unit = torch.eye(upper.shape[1], dtype=upper.dtype).expand_as(upper)
    return np.asarray(torch.linalg.solve_triangular(upper, unit, upper=True).numpy())


def _correct_bias(graph: Graph, node: onnx.NodeProto, layer: Layer, error: Array, mean: Array) -> None:
    """Add the mean of what the rounding took away to the layer's bias, or to the Add behind a MatMul."""
    shift = np.einsum("gos,gs->go", error, mean).ravel()
    if layer.op == "MatMul":
        after = graph.sole_consumer(node.output[0])
        if after is None or after.op_type != "Add":
            return
        place = [index for index, name in enumerate(after.input) if name != node.output[0]]
        bias = graph.array(after.input[place[0]]) if place else None
        if bias is None or bias.shape != shift.shape:
            return
        after.input[place[0]] = graph.add_constant(f"{node.name}_bias_corrected", (bias + shift).astype(np.float32))
        return
    bias = graph.array(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(shift.shape)
    if bias is None or bias.shape != shift.shape:
        return
    name = graph.add_constant(f"{node.name}_bias_corrected", (bias + shift).astype(np.float32))
    if len(node.input) > 2:
        node.input[2] = name
    else:
        node.input.append(name)
