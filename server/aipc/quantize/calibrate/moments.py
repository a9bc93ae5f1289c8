"""What the inputs of a layer with weights look like together: their mean and second moments, as far as memory allows,
and how far each channel reaches.

A layer's error from rounded weights is (W - Q) x; over the data its square is tr((W - Q) E[x xT] (W - Q)T). These
moments are all that rounding needs to know of the data. A convolution's x is one patch; patches are drawn evenly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.graph.index import attribute
from aipc.numerics.npz import write_npz

Array = np.ndarray[Any, Any]

_PATCHES = 256
"""Drawn from each sample."""
_LARGEST = 2304
"""Inputs of a layer (channels by kernel) whose moments are kept: 21 MB in float32."""
_BUDGET = 600 << 20


@dataclass(frozen=True, slots=True)
class Layer:
    """A node with constant weights. ``size`` inputs for each of ``groups``."""

    node: str
    op: str
    tensor: str
    groups: int
    size: int
    kernel: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()
    """Empty: as many as keep the size, the odd one at the end, or with ``odd_first`` at the beginning."""
    odd_first: bool = False
    transposed: bool = False


@dataclass(slots=True)
class Moments:
    """Sums over ``count`` vectors: ``first`` [groups, size], ``second`` [groups, size, size].

    ``low`` and ``high`` [channels]: the ends of each channel of the whole tensor, 0 included.
    """

    count: int
    first: Array
    second: Array
    low: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    high: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def mean(self) -> Array:
        return self.first / max(self.count, 1)


def layers_of(model: onnx.ModelProto) -> list[Layer]:
    """The layers whose moments are kept, the small ones first where memory does not do for all."""
    shapes = {item.name: tuple(item.dims) for item in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            shapes[node.output[0]] = tuple(node.attribute[0].t.dims)
    layers = []
    for node in model.graph.node:
        if len(node.input) < 2 or node.input[1] not in shapes or node.input[0] in shapes:
            continue
        layer = _layer(node, shapes[node.input[1]])
        if layer is not None and layer.size <= _LARGEST:
            layers.append(layer)
    used, nodes = 0, set()
    for layer in sorted(layers, key=lambda item: item.groups * item.size**2):
        used += 4 * layer.groups * layer.size**2
        if used > _BUDGET:
            break
        nodes.add(layer.node)
    return [layer for layer in layers if layer.node in nodes]


def _layer(node: onnx.NodeProto, shape: tuple[int, ...]) -> Layer | None:
    name, tensor = node.name, node.input[0]
    if node.op_type == "MatMul" and len(shape) == 2:
        return Layer(name, "MatMul", tensor, 1, shape[0])
    if node.op_type == "Gemm" and not attribute(node, "transA", 0) and attribute(node, "alpha", 1.0) == 1.0:
        transposed = bool(attribute(node, "transB", 0))
        return Layer(name, "Gemm", tensor, 1, shape[1] if transposed else shape[0], transposed=transposed)
    if node.op_type == "Conv" and len(shape) == 4:
        padding = attribute(node, "auto_pad", b"NOTSET")
        same = padding in (b"SAME_UPPER", b"SAME_LOWER")
        kernel = shape[2:]
        return Layer(
            name,
            "Conv",
            tensor,
            int(attribute(node, "group", 1)),
            shape[1] * kernel[0] * kernel[1],
            kernel,
            tuple(attribute(node, "strides", (1, 1))),
            tuple(attribute(node, "dilations", (1, 1))),
            () if same else tuple(attribute(node, "pads", (0, 0, 0, 0))),
            padding == b"SAME_LOWER",
        )
    return None


def add(moments: dict[str, Moments], layer: Layer, values: Array, seed: int) -> None:
    """Add what ``layer`` sees of one sample: its input ``[N, C, *spatial]`` (Conv), or ``[..., features]``."""
    vectors = _patches(layer, values, seed) if layer.op == "Conv" else _rows(values, seed)
    if not np.isfinite(vectors).all():
        return
    known = moments.get(layer.node)
    if known is None:
        groups, size = vectors.shape[:2]
        known = Moments(0, np.zeros((groups, size), np.float32), np.zeros((groups, size, size), np.float32))
        channels = values.shape[1 if layer.op == "Conv" else -1]
        known.low, known.high = np.zeros(channels, np.float32), np.zeros(channels, np.float32)
        moments[layer.node] = known
    known.count += vectors.shape[2]
    known.first += vectors.sum(2)
    known.second += vectors @ vectors.transpose(0, 2, 1)
    others = (0, 2, 3) if layer.op == "Conv" else tuple(range(values.ndim - 1))
    known.low = np.minimum(known.low, values.min(axis=others))
    known.high = np.maximum(known.high, values.max(axis=others))


def _rows(values: Array, seed: int) -> Array:
    rows = values.reshape(-1, values.shape[-1])
    return np.ascontiguousarray(rows[_drawn(len(rows), seed)].T)[None]


def _patches(layer: Layer, values: Array, seed: int) -> Array:
    """[groups, channels of a group x kernel, patches], in the order of the weights."""
    top, left, bottom, right = layer.pads or _same(layer, values.shape[2:])
    padded = np.pad(values[0], ((0, 0), (top, bottom), (left, right)))
    reach = [(size - 1) * step + 1 for size, step in zip(layer.kernel, layer.dilations, strict=True)]
    height = (padded.shape[1] - reach[0]) // layer.strides[0] + 1
    width = (padded.shape[2] - reach[1]) // layer.strides[1] + 1
    drawn = _drawn(height * width, seed)
    rows, columns = drawn // width * layer.strides[0], drawn % width * layer.strides[1]
    parts = [
        padded[:, rows + y * layer.dilations[0], columns + x * layer.dilations[1]]
        for y in range(layer.kernel[0])
        for x in range(layer.kernel[1])
    ]
    stacked = np.stack(parts, 1)  # [channels, kernel, patches]
    return stacked.reshape(layer.groups, layer.size, -1)


def _same(layer: Layer, size: tuple[int, ...]) -> tuple[int, ...]:
    """Pads that give as many positions as the input has, by the stride."""
    first, last = [], []
    for length, kernel, stride, dilation in zip(size, layer.kernel, layer.strides, layer.dilations, strict=True):
        reach = (-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1
        less, more = max(reach - length, 0) // 2, -(-max(reach - length, 0) // 2)
        first.append(more if layer.odd_first else less)
        last.append(less if layer.odd_first else more)
    return (*first, *last)


def _drawn(total: int, seed: int) -> Array:
    if total <= _PATCHES:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, _PATCHES, replace=False))


def save(path: Path, moments: Mapping[str, Moments]) -> None:
    names = sorted(moments)
    arrays: dict[str, Array] = {"names": np.array(names), "counts": np.array([moments[name].count for name in names])}
    for number, item in enumerate(moments[name] for name in names):
        arrays[f"first{number}"], arrays[f"second{number}"] = item.first, item.second
        arrays[f"low{number}"], arrays[f"high{number}"] = item.low, item.high
    temporary = path.with_suffix(".tmp.npz")
    write_npz(temporary, arrays)
    temporary.replace(path)


def load(path: Path) -> dict[str, Moments]:
    """Node -> moments; nothing where none were kept."""
    if not path.is_file():
        return {}
    with np.load(path) as data:
        parts = ("first", "second", "low", "high")
        return {
            str(name): Moments(int(data["counts"][number]), *(data[f"{part}{number}"] for part in parts))
            for number, name in enumerate(data["names"])
        }


def weight_rows(layer_op: str, weight: Array, groups: int, transposed: bool) -> Array:
    """Weights as [groups, outputs of a group, size]."""
    if layer_op == "Conv":
        return weight.reshape(groups, weight.shape[0] // groups, -1)
    return (weight if transposed else weight.T)[None]


def weight_back(layer_op: str, rows: Array, shape: tuple[int, ...], transposed: bool) -> Array:
    """The inverse of :func:`weight_rows`: ``[groups, outputs of a group, size]`` to the weight's ``shape``."""
    if layer_op == "Conv":
        return rows.reshape(shape)
    return rows[0] if transposed else np.ascontiguousarray(rows[0].T)
