"""How far every inner tensor of a compiled graph is from fp32, without changing what is fused, and whose fault it is.

What can be read: in fp16, tensors that no fusion swallows (see ``divergence.tappable``); in a quantized graph, what
its QuantizeLinear nodes store (see ``quantized_taps``). A reading that changed the graph would change its outputs:
they are compared with those of the package, bit for bit, and a difference is reported, not hidden.

Four executions give the figures of ``core.accuracy.NodeError``: the package in the simulator (y'), the fp32 graph (y),
its correctly rounded fp16 form where the package is fp16, and the fp32 graph with each read tensor replaced by the
package's as soon as it is written, so that every group of nodes computes f(x') on the package's own inputs to it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.accuracy import NodeAccuracy, NodeError, with_shares
from aipc.core.types import Event
from aipc.numerics.error_effects import Effects
from aipc.numerics.fp16 import exact_tensors, round_fp16
from aipc.numerics.metrics import accuracy, sqnr_db
from aipc.numerics.npz import read_npz
from aipc.numerics.stepper import Stepper, load, reads
from aipc.qairt.soc import SoC, get_soc

from .divergence import tappable
from .quantized_taps import read_stored, stored_tensors
from .taps import read_tensors

Array = np.ndarray[Any, Any]
Report = Callable[[Event], None]

_MAX_BYTES = 600 << 20
"""Of fp32 tensors that are read in one session."""
_TOLD = 16
"""Effects between two messages of progress."""
EFFECT_SECONDS = 60.0


def node_accuracy(
    report: Report,
    *,
    model: str,
    inputs_npz: str,
    soc: str,
    outputs_npz: str | None = None,
    quantized: str | None = None,
    seconds: float = EFFECT_SECONDS,
) -> NodeAccuracy:
    """Error of each readable node of ``model`` on the simulator of ``soc``, given the example inputs.

    Args:
        model: the fp32 ONNX graph. A node that runs on the CPU is measured as well.
        outputs_npz: what the package gave for these inputs, to tell whether reading changed the graph. Without it a
            run of the graph with no tensor read takes its place.
        quantized: the quantized graph that the package was compiled from, its tensors named as in ``model``.
        seconds: limit for measuring effects at the outputs; the largest local errors come first.

    Raises:
        QairtError: the graph cannot run.
    """
    chip, inputs = get_soc(soc), read_npz(inputs_npz)
    stepper = Stepper(load(model))
    with tempfile.TemporaryDirectory(prefix="aipc-accuracy-") as directory:
        disk = _Disk(Path(directory))
        plain = read_npz(outputs_npz) if outputs_npz is not None else None
        if quantized is None:
            read = _read_floats(report, stepper, inputs, chip, plain, disk)
        else:
            read = _read_integers(report, stepper, load(quantized), inputs, chip, plain, disk)
        if not read.actual:
            return NodeAccuracy({}, notes=("no tensor of this graph can be read without changing it",))
        report(Event("accuracy", "comparing with fp32"))
        errors = _errors(stepper, inputs, read.actual, disk, ideal=quantized is None)
        blamed, notes = _with_effects(report, stepper, inputs, errors, seconds)
    return _by_node(stepper, blamed, read.unchanged, notes)


class _Disk:
    """Arrays kept out of memory: those of all tensors of a large model do not fit there several times."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._count = 0

    def keep(self, array: Array) -> Array:
        self._count += 1
        path = self._directory / f"{self._count}.npy"
        np.save(path, array)
        stored: Array = np.load(path, mmap_mode="r")
        return stored


@dataclass(frozen=True, slots=True)
class _Read:
    """Float tensor -> the package's values; and whether the outputs stayed as they were."""

    actual: Mapping[str, Array]
    unchanged: bool | None


@dataclass(frozen=True, slots=True)
class _Measured:
    error: NodeError
    introduced: Array
    loss: float
    """Noise over signal, averaged over the channels: what is measured first."""


def _read_floats(
    report: Report, stepper: Stepper, inputs: Any, chip: SoC, plain: Mapping[str, Array] | None, disk: _Disk
) -> _Read:
    ends = [output.name for output in stepper.model.graph.output]
    names = [name for name in tappable(stepper) if name not in ends]
    like = _outlines(stepper, {*names, *ends}, inputs)
    groups = _groups(names, like)
    actual: dict[str, Array] = {}
    unchanged = True
    if plain is None:
        report(Event("accuracy", "running the plain graph"))
        plain = read_tensors(stepper.model, ends, inputs, chip, like)
    for number, group in enumerate(groups):
        report(Event("accuracy", f"reading {len(group)} tensors", number / len(groups)))
        values = read_tensors(stepper.model, [*group, *ends], inputs, chip, like)
        for name, value in values.items():
            if value.dtype == np.float32 and value.size and name not in actual:
                actual[name] = disk.keep(value)
        unchanged = unchanged and _equal(plain, values, ends)
    return _Read(actual, unchanged)


def _read_integers(
    report: Report, stepper: Stepper, quantized: onnx.ModelProto, inputs: Any, chip: SoC, plain: Any, disk: _Disk
) -> _Read:
    written = _meaningful(stepper.model)
    stored = stored_tensors(quantized, {*written, *inputs})
    ends = [output.name for output in quantized.graph.output]
    report(Event("accuracy", f"reading {len(stored)} tensors"))
    values, outputs = read_stored(quantized, list(stored.values()), inputs, chip)
    if plain is None:
        plain = read_stored(quantized, [], inputs, chip)[1]
    actual = {name: disk.keep(values.pop(name)) for name in list(values) if values[name].size}
    actual |= {name: outputs[name] for name in ends if name in written and outputs[name].dtype == np.float32}
    return _Read(actual, _equal(plain, outputs, ends))


def _meaningful(model: onnx.ModelProto) -> list[str]:
    """Tensors that stand for what the float graph has there.

    What only a Relu or a Clip reads is stored with its range already: its negative values are cut off, which is right.
    """
    readers: dict[str, list[str]] = {}
    for node in model.graph.node:
        for name in reads(node):
            readers.setdefault(name, []).append(node.op_type)
    ends = {output.name for output in model.graph.output}
    return [
        name
        for node in model.graph.node
        for name in node.output
        if name and (name in ends or not readers.get(name) or not set(readers[name]) <= {"Relu", "Clip"})
    ]


def _equal(plain: Mapping[str, Array], read: Mapping[str, Array], ends: Iterable[str]) -> bool:
    return all(np.array_equal(plain[name], read[name], equal_nan=True) for name in ends if name in plain)


def _errors(
    stepper: Stepper, inputs: Any, actual: Mapping[str, Array], disk: _Disk, *, ideal: bool
) -> dict[str, _Measured]:
    """Tensor -> its error and what of it was introduced, in graph order."""
    true: dict[str, Array] = {}

    def keep(name: str, array: Array) -> Array:
        if name in actual and array.dtype == np.float32:
            true[name] = disk.keep(array)
        return array

    stepper.walk(inputs, store=keep)
    rounded: dict[str, float] = {}
    if ideal:
        exact = exact_tensors(stepper)

        def round_and_compare(name: str, array: Array) -> Array:
            value = array if name in exact else round_fp16(array)
            if name in true:
                rounded[name] = sqnr_db(true[name], value)
            return value

        stepper.walk(inputs, store=round_and_compare)
    makers = {name: node.op_type for node in stepper.model.graph.node for name in node.output}
    groups = _members(stepper.model, actual)
    errors: dict[str, _Measured] = {}

    def replace_and_compare(name: str, local: Array) -> Array:
        if name not in true or actual[name].shape != local.shape:
            return local
        value = np.asarray(actual[name])
        axis = _channel_axis(makers.get(name, ""), local.ndim)
        item = _measure(true[name], local, value, rounded.get(name), axis, groups[name])
        errors[name] = replace(item, introduced=disk.keep(item.introduced))
        return value

    stepper.walk(inputs, store=replace_and_compare)
    return errors


def _measure(
    true: Array, local: Array, actual: Array, ideal: float | None, axis: int | None, group: tuple[str, ...]
) -> _Measured:
    whole = accuracy("", true, actual)
    introduced = actual - local
    spread, channel, loss = _channels(true, introduced, axis)
    error = NodeError(
        whole.sqnr_db,
        ideal,
        whole.cosine,
        sqnr_db(true, true + introduced),
        sqnr_db(true, local),
        group=group,
        channel_spread=spread,
        channel=channel,
    )
    return _Measured(error, introduced, loss)


def _channel_axis(kind: str, rank: int) -> int | None:
    if rank < 2:
        return None
    return 1 if rank >= 4 or kind in {"Conv", "ConvTranspose"} else rank - 1


def _channels(true: Array, introduced: Array, axis: int | None) -> tuple[float | None, int | None, float]:
    """(largest over median channel peak, which channel, noise over signal averaged over channels)."""
    if axis is None or true.shape[axis] < 2:
        signal, noise = float(np.square(true).sum()), float(np.square(introduced).sum())
        return None, None, noise / signal if signal else 0.0
    others = tuple(index for index in range(true.ndim) if index != axis)
    peaks = np.abs(true).max(axis=others)
    signal, noise = np.square(true).sum(axis=others), np.square(introduced).sum(axis=others)
    used = signal > 0
    loss = float((noise[used] / signal[used]).mean()) if used.any() else 0.0
    median = float(np.median(peaks[used])) if used.any() else 0.0
    return (float(peaks.max()) / median if median else None), int(peaks.argmax()), loss


def _members(model: onnx.ModelProto, read: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read tensor -> the nodes between the tensors read before it and itself, in graph order."""
    known = set(read)
    makers = {name: node for node in model.graph.node for name in node.output if name}
    position = {node.name: index for index, node in enumerate(model.graph.node)}
    groups: dict[str, tuple[str, ...]] = {}
    for tensor in known:
        members: dict[str, None] = {}
        waiting = [tensor]
        while waiting:
            node = makers.get(waiting.pop())
            if node is None or node.name in members:
                continue
            members[node.name] = None
            waiting.extend(name for name in reads(node) if name not in known)
        groups[tensor] = tuple(sorted(members, key=position.__getitem__))
    return groups


def _with_effects(
    report: Report, stepper: Stepper, inputs: Any, errors: Mapping[str, _Measured], seconds: float
) -> tuple[dict[str, NodeError], tuple[str, ...]]:
    """The errors, each with what it alone does to the model's worst output, and its share of all."""
    ranks = {name: item.introduced.ndim for name, item in errors.items()}
    order = sorted(errors, key=lambda name: -errors[name].loss)
    effects = Effects(stepper.model, ranks, inputs)
    end = time.monotonic() + seconds
    blamed = {name: item.error for name, item in errors.items()}
    left = 0
    for number, name in enumerate(order):
        item = errors[name]
        if not np.any(item.introduced):
            blamed[name] = replace(item.error, effect_sqnr_db=float("inf"))
            continue
        if number and time.monotonic() > end:
            left += 1
            continue
        if number % _TOLD == 0:
            report(Event("accuracy", "measuring what each node does to the outputs", number / len(order)))
        blamed[name] = replace(item.error, effect_sqnr_db=effects.sqnr({name: item.introduced}))
    shares = with_shares(blamed)
    notes = (f"the effects of {left} tensors with small errors were not measured: out of time",) if left else ()
    return {name: replace(error, share=shares[name]) for name, error in blamed.items()}, notes


def _by_node(
    stepper: Stepper, errors: Mapping[str, NodeError], unchanged: bool | None, notes: tuple[str, ...]
) -> NodeAccuracy:
    makers = {name: node.name for node in stepper.model.graph.node for name in node.output}
    nodes: dict[str, NodeError] = {}
    for tensor, error in errors.items():
        maker = makers.get(tensor)
        # Of a node with several outputs the worst counts.
        if maker and (maker not in nodes or error.sqnr_db < nodes[maker].sqnr_db):
            nodes[maker] = error
    constant = set(stepper.constants)
    unread = []
    for node in stepper.model.graph.node:
        if all(name in constant for name in reads(node)):
            constant.update(node.output)
        elif node.name not in nodes:
            unread.append(node.name)
    inputs = {tensor: error for tensor, error in errors.items() if tensor not in makers}
    return NodeAccuracy(nodes, unchanged, inputs, tuple(unread), notes)


def _outlines(stepper: Stepper, names: Collection[str], inputs: Any) -> dict[str, Array]:
    """Tensor -> an array of its dtype and shape that takes no memory."""
    outlines: dict[str, Array] = {}

    def store(name: str, array: Array) -> Array:
        if name in names:
            outlines[name] = np.broadcast_to(np.zeros((), array.dtype), array.shape)
        return array

    stepper.walk(inputs, store=store)
    return outlines


def _groups(names: Sequence[str], like: Mapping[str, Array]) -> list[list[str]]:
    """Tensors that fit into memory together, in graph order."""
    groups: list[list[str]] = [[]]
    used = 0
    for name in names:
        size = like[name].size * like[name].itemsize
        if groups[-1] and used + size > _MAX_BYTES:
            groups.append([])
            used = 0
        groups[-1].append(name)
        used += size
    return groups
