"""One-node models, many in one graph: each node of a model apart from the others, fed with its true inputs.

Every probe has its own graph inputs, constants and outputs, so the nodes share a session (opening one
costs more than running most nodes) and nothing else: the compiler has nothing to fuse across them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import helper

from aipc.numerics.fp16 import round_fp16
from aipc.numerics.node_verdict import Sample
from aipc.numerics.stepper import Stepper, reads

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """A node with everything it takes to run it alone; arrays are keyed by its tensor names."""

    node: onnx.NodeProto
    inputs: Mapping[str, Array]
    constants: Mapping[str, Array]
    sample: Sample

    @property
    def nbytes(self) -> int:
        arrays = [*self.inputs.values(), *self.constants.values(), *self.sample.expected.values()]
        return sum(array.nbytes for array in arrays)


def signature(
    node: onnx.NodeProto, arguments: Mapping[str, Array], constants: frozenset[str], digests: dict[str, bytes]
) -> bytes:
    """Equal for nodes with the same operator, attributes, input dtypes and shapes, and constants.

    Args:
        constants: names of the tensors that do not depend on the graph's inputs.
        digests: remembers the digest of each constant between calls.
    """
    copy = onnx.NodeProto()
    copy.op_type, copy.domain = node.op_type, node.domain
    copy.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
    digest = hashlib.blake2b(copy.SerializeToString(deterministic=True))
    order = {name: index for index, name in enumerate(dict.fromkeys(filter(None, node.input)))}
    digest.update(repr([order.get(name, -1) for name in node.input]).encode())
    digest.update(repr([bool(name) for name in node.output]).encode())
    for name in reads(node):
        array = arguments[name]
        digest.update(f"{array.dtype}{array.shape}".encode())
        if name in constants:
            if name not in digests:
                digests[name] = hashlib.blake2b(np.ascontiguousarray(array).tobytes()).digest()
            digest.update(digests[name])
    return digest.digest()


def make_probe(
    stepper: Stepper,
    node: onnx.NodeProto,
    arguments: Mapping[str, Array],
    expected: Mapping[str, Array],
    constants: frozenset[str],
    exact: frozenset[str],
) -> Probe:
    """A probe of ``node`` on ``arguments``, with its fp32 outputs and the correctly rounded fp16 execution.

    Args:
        exact: names of tensors that fp16 never touches (``fp16.exact_tensors``).

    Raises:
        QairtError: the CPU provider cannot run the node.
    """
    dynamic = {name: array for name, array in arguments.items() if name not in constants}
    fixed = {name: array for name, array in arguments.items() if name in constants}
    probe = Probe(node, dynamic, fixed, Sample(dict(expected), ()))
    return replace(probe, sample=Sample(probe.sample.expected, _ideals(stepper, probe, exact, (0.0,))))


def with_moved(stepper: Stepper, probe: Probe, exact: frozenset[str]) -> Probe:
    """The probe with two more fp16 executions, inputs moved by one rounding step in random directions."""
    moved = (*probe.sample.ideals, *_ideals(stepper, probe, exact, (1.0, -1.0)))
    return replace(probe, sample=Sample(probe.sample.expected, moved))


def _ideals(
    stepper: Stepper, probe: Probe, exact: frozenset[str], directions: Sequence[float]
) -> list[dict[str, Array]]:
    rng = np.random.default_rng(0)
    signs = {name: rng.integers(0, 2, array.shape, np.int8) * 2 - 1 for name, array in probe.inputs.items()}
    ideals = []
    for direction in directions:
        arguments = {name: array if name in exact else round_fp16(array) for name, array in probe.constants.items()}
        for name, array in probe.inputs.items():
            arguments[name] = array if name in exact else _moved(array, signs[name], direction)
        results = {name: round_fp16(array) for name, array in stepper.run_node(probe.node, arguments).items()}
        # An operator whose output size depends on its data (NonZero) has nothing to compare when it differs.
        if all(results[name].shape == array.shape for name, array in probe.sample.expected.items()):
            ideals.append(results)
    return ideals


def _moved(array: Array, signs: Array, direction: float) -> Array:
    rounded = round_fp16(array)
    if direction == 0.0 or array.dtype.kind != "f":
        return rounded
    step = (1.0 + direction * 2.0**-11 * signs).astype(array.dtype)
    with np.errstate(over="ignore"):
        return np.asarray(rounded * step)


def boundary_inputs(inputs: Mapping[str, Array], seed: int = 0) -> dict[str, Array]:
    """The same inputs with float data replaced by values on which operators tend to differ, in random order.

    Zero of both signs, halves, integers, one rounding step off them, negative, tiny and large values. Shapes and dtypes
    stay.
    """
    rng = np.random.default_rng(seed)
    halves = np.array([0, 0.5, 1, 1.5, 2, 2.5, 3, 7, 100.5, 1000.0, 1e-4, 2.0**-24, 30000.0, 6e4])
    values = np.concatenate([halves, -halves, halves * (1 + 2.0**-10), rng.standard_normal(32)])
    return {
        name: rng.choice(values, size=array.shape).astype(array.dtype) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }


def probe_name(index: int) -> str:
    return f"probe{index:06d}"


def join(probes: Sequence[Probe], like: onnx.ModelProto) -> tuple[bytes, dict[str, Array]]:
    """One model that holds all probes side by side, and its inputs. Tensors of probe ``i`` start with its
    name.
    """
    nodes: list[onnx.NodeProto] = []
    inputs: list[onnx.ValueInfoProto] = []
    outputs: list[onnx.ValueInfoProto] = []
    initializers: list[onnx.TensorProto] = []
    feeds: dict[str, Array] = {}
    for index, probe in enumerate(probes):
        prefix = probe_name(index)
        node = onnx.NodeProto()
        node.CopyFrom(probe.node)
        node.ClearField("metadata_props")
        node.name = prefix
        for side in (node.input, node.output):
            side[:] = [f"{prefix}/{name}" if name else "" for name in side]
        nodes.append(node)
        for name, array in probe.constants.items():
            initializers.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), f"{prefix}/{name}"))
        for name, array in probe.inputs.items():
            entry = f"{prefix}/{name}"
            feeds[entry] = array
            inputs.append(_described(entry, array))
        outputs.extend(_described(f"{prefix}/{name}", array) for name, array in probe.sample.expected.items())
    graph = helper.make_graph(nodes, "probes", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=like.opset_import, functions=like.functions)
    model.ir_version = like.ir_version
    return model.SerializeToString(), feeds


def _described(name: str, array: Array) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
