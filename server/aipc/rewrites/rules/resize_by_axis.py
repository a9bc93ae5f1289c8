"""Resizing as a linear map along each axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ..site import Site
from ._matrix import along_axis

Array = np.ndarray[Any, Any]


def _coordinate(index: Array, mode: str, size: int, length: int, scale: float) -> Array:
    """Where an output index lies in the input, by ONNX's coordinate_transformation_mode."""
    if mode == "asymmetric":
        return index / scale
    if mode == "align_corners":
        return index * (size - 1) / (length - 1) if length > 1 else np.zeros_like(index)
    if mode == "pytorch_half_pixel" and length <= 1:
        return np.zeros_like(index)
    if mode in ("half_pixel", "pytorch_half_pixel"):
        return (index + 0.5) / scale - 0.5
    if mode == "half_pixel_symmetric":
        adjustment = length / (scale * size)
        return size / 2 * (1 - adjustment) + (index + 0.5) / scale - 0.5
    raise NoMatch(f"the coordinates are {mode}")


def _kernel(distance: Array, mode: str, cubic: float) -> Array:
    away = np.abs(distance)
    if mode == "linear":
        return np.asarray(np.maximum(0, 1 - away))
    near = (cubic + 2) * away**3 - (cubic + 3) * away**2 + 1
    far = cubic * away**3 - 5 * cubic * away**2 + 8 * cubic * away - 4 * cubic
    return np.asarray(np.where(away <= 1, near, np.where(away < 2, far, 0.0)))


def matrix(
    size: int, length: int, scale: float, *, mode: str, coordinates: str, cubic: float, exclude: bool, antialias: bool
) -> Array:
    """Weights [length, size] of a linear or cubic resize of one axis, by the definition of ONNX's Resize."""
    stretch = max(1.0, 1 / scale) if antialias else 1.0
    reach = math.ceil((1 if mode == "linear" else 2) * stretch)
    weights = np.zeros((length, size))
    centre = _coordinate(np.arange(length, dtype=np.float64), coordinates, size, length, scale)
    base = np.floor(centre).astype(np.int64)
    for step in range(-reach, reach + 2):
        position = base + step
        weight = _kernel((position - centre) / stretch, mode, cubic)
        inside = (position >= 0) & (position < size)
        if exclude or antialias:
            weight = np.where(inside, weight, 0.0)
        np.add.at(weights, (np.arange(length), np.clip(position, 0, size - 1)), weight)
    total = weights.sum(axis=1, keepdims=True)
    return weights / total if exclude or antialias else weights


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes, result = read.shape(value), read.shape(node.outputs[0])
    mode = node.attributes.get_string("mode", "nearest")
    antialias = bool(node.attributes.get_int("antialias", 0))
    if mode not in ("linear", "cubic"):
        raise NoMatch(f"its mode is {mode}")
    if not antialias and len(sizes) == 4:
        raise NoMatch("the NPU takes a two-dimensional resize of this mode as it is")
    coordinates = node.attributes.get_string("coordinate_transformation_mode", "half_pixel")
    requested_sizes = read.argument(node, 2)
    scales = None if requested_sizes is None else read.require_constant(requested_sizes, "the scales")
    axes = [axis % len(sizes) for axis in read.ints(node, "axes", range(len(sizes)))]
    for place, axis in enumerate(axes):
        if sizes[axis] == result[axis] and coordinates != "asymmetric":
            continue
        scale = float(scales[place]) if scales is not None and scales.size else result[axis] / sizes[axis]
        weights = matrix(
            sizes[axis],
            result[axis],
            scale,
            mode=mode,
            coordinates=coordinates,
            cubic=node.attributes.get_float("cubic_coeff_a", -0.75),
            exclude=bool(node.attributes.get_int("exclude_outside", 0)),
            antialias=antialias,
        )
        value = along_axis(b, value, axis, weights)
    return value


def source_edit(site: Site) -> str | None:
    """Trilinear interpolation: the planes first, then the depth, each bilinear. Linear: bilinear with one row."""
    options = "size scale_factor mode align_corners"
    operation = site.operation(
        "interpolate",
        f"input {options} recompute_scale_factor antialias",
        homes="torch.nn.functional",
        module=f"Upsample {options}",
    )
    if operation is None or not {"recompute_scale_factor", "antialias"}.isdisjoint(operation.options):
        return None
    mode, size, factor = operation.value("mode", "nearest"), operation.value("size"), operation.value("scale_factor")
    if mode not in ("linear", "trilinear") or (size is None) == (factor is None):
        return None
    rest = ', mode="bilinear"'
    if operation.value("align_corners") is not None:
        rest += f", align_corners={operation.value('align_corners')}"
    how, axes = ("scale_factor", factor) if size is None else ("size", size)
    count = 3 if mode == "trilinear" else 1
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,) * count
    if len(axes) != count:
        return None
    call = f"{site.functional()}.interpolate"
    if count == 1:
        return f"{call}({site.operand(operation.operands[0])}.unsqueeze(2), {how}=(1, {axes[0]}){rest}).squeeze(2)"
    x = site.repeated(operation.operands[0])
    plane = axes[1] if axes[1] == axes[2] and how == "scale_factor" else axes[1:]
    planes = site.assigned(
        f"{call}({x}.flatten(1, 2), {how}={plane}{rest}).unflatten(1, {x}.shape[1:3])", "planes", may_overwrite=True
    )
    across = "1" if how == "scale_factor" else f"{planes}.shape[3] * {planes}.shape[4]"
    return f"{call}({planes}.flatten(3), {how}=({axes[0]}, {across}){rest}).unflatten(3, {planes}.shape[3:])"


RULE = Rule(
    code="resize-by-axis",
    title="Trilinear, one-dimensional and antialiased interpolation becomes a linear map along each axis",
    ops=("Resize",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("wrong-numbers", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example(
        'F.interpolate(x, size=(2, 2, 4), mode="trilinear", align_corners=True)', {"x": "float32[1,2,2,2,2]"}
    ),
    after="x @ torch.tensor([[1, 2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3, 1]])",
    negative=Example('F.interpolate(x, size=(13, 11), mode="bilinear")', {"x": "float32[1,3,8,8]"}),
    more=(
        Example('F.interpolate(x, scale_factor=2, mode="trilinear")', {"x": "float32[1,3,4,8,8]"}),
        Example('F.interpolate(x, size=(7, 5, 9), mode="trilinear")', {"x": "float32[2,3,4,8,8]"}),
        Example('F.interpolate(x, size=(5, 6), mode="bilinear", antialias=True)', {"x": "float32[1,3,8,9]"}),
        Example('F.interpolate(x, size=(5, 12), mode="bicubic", antialias=True)', {"x": "float32[1,3,8,9]"}),
    ),
)
