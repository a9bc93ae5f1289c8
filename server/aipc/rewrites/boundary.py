"""Inputs where operators tend to differ: what a proof feeds beside the tensors that the model truly has there.

Every dtype has its own: floats near zero and far out, infinities and NaN; booleans all true, all false and with empty
rows; integers at the ends of their range, which is that of the table for what indexes one; ties for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import onnx

from .proofs import NonFinite

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

_NEAR = np.array([0, 0.5, 1, 1.5, 2, 2.5, 3, 7, 1e-4, 2.0**-14, 2.0**-24])
_FAR = np.array([0, 0.5, 100.5, 1000.0, 1000.5, 30000.0, 6e4])
_SMALL = np.array([0, 1, -1, 2, -2, 3, -3, 5, -5, 7, -8, 63, 64, -64, 79, 80, -80, 127, -128, 160, 255, -256])
_COUNTS = np.array([2047, 2049, -2049, 65503, 65505, -65536, 131009, -131009, 10**6 + 7, -(10**6) - 7, 2**24 - 1])
"""Beyond what fp16 counts, within what fp32 does."""
_WIDE = np.array([2**24 + 1, -(2**24) - 1, 10**9 + 7, -(10**9) - 7, 2**31 - 1, -(2**31) + 1])
"""Within int32, to which the NPU narrows int64."""
_INFINITIES = {NonFinite.POSITIVE: np.inf, NonFinite.NEGATIVE: -np.inf}
_SHARE = 0.125

NON_FINITE = ("infinite", "NaN")
"""Names of the sets that hold what fp16 on the NPU does not."""


class IntegerRole(Enum):
    """What an integer input is for."""

    DATA = "data"
    COUNT = "count"
    """Data that becomes floating point: fp32 counts to 2**24."""
    DIVISOR = "divisor"
    FIXED = "fixed"
    """Sizes, and indices that are computed or must not repeat: the true values alone are legal for sure."""


@dataclass(frozen=True, slots=True)
class IntegerUse:
    """The role of an integer input, and the bounds of an index: ``low`` <= index < ``high``."""

    role: IntegerRole
    low: int = 0
    high: int = 0

    @property
    def is_index(self) -> bool:
        return self.high > self.low


def boundary_sets(inputs: Mapping[str, Array], seed: int = 0) -> dict[str, Arrays]:
    """Two further sets of inputs, float data replaced by finite values where operators tend to differ.

    ``near``: zeros of both signs, halves, integers, one fp16 step off them, negative, tiny. ``far``: large ones. Other
    dtypes stay: they are indices and sizes.
    """
    rng = np.random.default_rng(seed)
    return {
        name: {key: _drawn(rng, pool, array) if array.dtype.kind == "f" else array for key, array in inputs.items()}
        for name, pool in _float_pools(rng).items()
    }


def proof_sets(
    model: onnx.ModelProto, inputs: Mapping[str, Array], excludes: NonFinite, seed: int = 0
) -> dict[str, Arrays]:
    """What a proof feeds to ``model`` and to what replaces it, by name.

    Args:
        model: the part that is replaced, with the shapes of its tensors.
        inputs: the true values in the shapes and dtypes of the model's inputs, by name (more may be there).
        excludes: numbers that the graph guarantees not to be there; ``infinite`` and ``NaN`` are left out by it.
    """
    rng = np.random.default_rng(seed)
    uses = integer_uses(model)
    sets = boundary_sets(inputs, seed)
    sets["ties"] = {}
    for key, array in inputs.items():
        kind = array.dtype.kind
        if kind == "f":
            sets["ties"][key] = _drawn(rng, np.array([-1.0, 0.0, 1.0]), array)
        elif kind == "b":
            sets["near"][key], sets["far"][key] = _with_empty_rows(rng, array), _drawn(rng, np.array([0, 1]), array)
            sets["ties"][key] = np.zeros_like(array)
        else:
            use = uses.get(key, IntegerUse(IntegerRole.FIXED))
            for name in ("near", "far", "ties"):
                sets[name][key] = _integers(rng, name, use, array)
    if any(array.dtype.kind == "b" for array in inputs.values()):
        sets["all true"] = {k: np.ones_like(v) if v.dtype.kind == "b" else v for k, v in inputs.items()}
        sets["all false"] = {k: np.zeros_like(v) if v.dtype.kind == "b" else v for k, v in inputs.items()}
    floats = [key for key, array in inputs.items() if array.dtype.kind == "f"]
    infinities = [value for kind, value in _INFINITIES.items() if not excludes & kind]
    if floats and infinities:
        sets["infinite"] = {k: _infinite(rng, v, infinities) if k in floats else v for k, v in inputs.items()}
    if floats and not excludes & NonFinite.NAN:
        sets["NaN"] = {k: _sprinkled(rng, v, [np.nan]) if k in floats else v for k, v in inputs.items()}
    return sets


def _float_pools(rng: np.random.Generator) -> dict[str, Array]:
    return {
        "near": np.concatenate([_NEAR, -_NEAR, _NEAR * (1 + 2.0**-10), rng.standard_normal(24)]),
        "far": np.concatenate([_FAR, -_FAR, rng.standard_normal(8)]),
    }


def _drawn(rng: np.random.Generator, pool: Array, array: Array) -> Array:
    return np.asarray(rng.choice(pool, size=array.shape).astype(array.dtype))


def _with_empty_rows(rng: np.random.Generator, array: Array) -> Array:
    """Random booleans; of the rows along the last axis the first is all false, the last all true."""
    sample = _drawn(rng, np.array([0, 1]), array)
    if sample.ndim > 1 and sample.size:
        rows = sample.reshape(-1, sample.shape[-1])
        rows[0], rows[-1] = False, True
    return sample


def _sprinkled(rng: np.random.Generator, array: Array, pool: Sequence[float]) -> Array:
    """Normal values, one in eight and at least one of them from ``pool``."""
    sample = np.asarray(rng.standard_normal(array.shape)).astype(array.dtype)
    flat = sample.reshape(-1)
    if flat.size:
        places = rng.random(flat.size) < _SHARE
        places[rng.integers(flat.size)] = True
        flat[places] = rng.choice(pool, size=int(places.sum()))
    return sample


def _infinite(rng: np.random.Generator, array: Array, pool: Sequence[float]) -> Array:
    """Normal values with infinities among them, one row of -inf alone (a mask that hides everything)."""
    sample = _sprinkled(rng, array, pool)
    if -np.inf in pool and sample.ndim > 1 and sample.size:
        sample.reshape(-1, sample.shape[-1])[0] = -np.inf
    return sample


def _integers(rng: np.random.Generator, name: str, use: IntegerUse, array: Array) -> Array:
    if use.role is IntegerRole.FIXED or not array.size:
        return array
    if use.is_index:
        ends = np.array([use.low, use.high - 1, 0, min(1, use.high - 1)])
        pool = {"near": ends, "far": np.arange(use.low, use.high), "ties": ends[1:2]}[name]
    else:
        pool = {"near": _SMALL, "far": np.concatenate([_COUNTS, -_SMALL]), "ties": np.array([1, -1])}[name]
        if use.role is IntegerRole.DATA and name == "far":
            pool = np.concatenate([pool, _WIDE])
        if use.role is IntegerRole.DIVISOR:
            pool = pool[pool != 0]
    limits = np.iinfo(array.dtype)
    pool = pool[(pool >= limits.min) & (pool <= limits.max)]
    # Every value once before one comes again: small tensors hold the ends of the range too.
    return np.resize(rng.permutation(pool), array.shape).astype(array.dtype) if pool.size else array


_MOVING = frozenset(
    {
        *("Cast", "Concat", "Expand", "Flatten", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile"),
        *("Transpose", "Unsqueeze"),
    }
)
_SIZES = {
    **dict.fromkeys(("CumSum", "Expand", "OneHot", "Reshape", "Split", "Squeeze", "Tile", "TopK", "Trilu"), (1,)),
    **dict.fromkeys(("Col2Im", "DFT"), (1, 2)),
    "ConstantOfShape": (0,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Resize": (3,),
    "Slice": (1, 2, 3, 4),
    "Unsqueeze": (1,),
}


def integer_uses(model: onnx.ModelProto) -> dict[str, IntegerUse]:
    """Integer input -> what it is for, told by the nodes that its elements reach."""
    graph = model.graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output, *graph.value_info)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    types = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info, *graph.output)}
    uses = {}
    for value in graph.input:
        kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(types[value.name])).kind
        if kind in "iu":
            uses[value.name] = _use(graph, value.name, shapes)
    return uses


def _use(graph: onnx.GraphProto, name: str, shapes: Mapping[str, list[int]]) -> IntegerUse:
    moved, computed = {name}, set[str]()
    role, low, high = IntegerRole.DATA, -(2**62), 2**62
    for node in graph.node:
        if node.op_type == "Shape":
            continue
        for place, item in enumerate(node.input):
            if item not in moved | computed:
                continue
            bounds = _index_bounds(node, place, shapes)
            if place in _SIZES.get(node.op_type, ()) or (bounds and item in computed) or bounds == (0, 0):
                return IntegerUse(IntegerRole.FIXED)
            if bounds:
                low, high = max(low, bounds[0]), min(high, bounds[1])
            elif node.op_type in ("Div", "Mod") and place == 1:
                role = IntegerRole.DIVISOR
            elif node.op_type == "Cast" and role is IntegerRole.DATA and _to_float(node):
                role = IntegerRole.COUNT
        # The exporter writes the broadcasting of one index as a maximum of one.
        moves = node.op_type in _MOVING or (node.op_type in ("Max", "Min", "Sum") and len(node.input) == 1)
        if moved.intersection(node.input) and moves:
            moved.update(node.output)
        elif (moved | computed).intersection(node.input):
            computed.update(node.output)
    return IntegerUse(IntegerRole.DATA, low, high) if high < 2**62 else IntegerUse(role)


def _to_float(node: onnx.NodeProto) -> bool:
    to = next(item.i for item in node.attribute if item.name == "to")
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(to)).kind == "f"


def _index_bounds(node: onnx.NodeProto, place: int, shapes: Mapping[str, list[int]]) -> tuple[int, int] | None:
    """Lowest and past the highest index that input ``place`` may hold; (0, 0) where that is not known; None: no index.

    PyTorch's indexing counts negative numbers from the end, its ``gather`` and ``scatter`` do not take them.
    """
    if place != 1 or node.op_type not in ("Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND"):
        return None
    sizes = shapes.get(node.input[0], [])
    attributes = {item.name: item for item in node.attribute}
    reduction = attributes["reduction"].s if "reduction" in attributes else b"none"
    if not sizes or (node.op_type.startswith("Scatter") and reduction == b"none"):
        return (0, 0)  # without a reduction, places that repeat have no order
    if node.op_type == "GatherND":
        depth = (shapes.get(node.input[1]) or [0])[-1]
        batch = attributes["batch_dims"].i if "batch_dims" in attributes else 0
        length = min(sizes[batch : batch + depth], default=0)
        return (-length, length)
    if node.op_type == "ScatterND":
        return (0, 0)
    length = sizes[(attributes["axis"].i if "axis" in attributes else 0) % len(sizes)]
    return (-length, length) if node.op_type == "Gather" else (0, length)
