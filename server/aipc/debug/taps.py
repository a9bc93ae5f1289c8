"""Read a few inner tensors of a whole graph on the simulator, beside their true and their ideal fp16 values.

Reading every tensor of a compiled graph changes it (fusions break), so callers ask for few.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from aipc.core.errors import QairtError
from aipc.numerics.fp16 import exact_tensors, round_fp16
from aipc.numerics.stepper import Stepper, reads
from aipc.qairt.session import open_session
from aipc.qairt.soc import SoC

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Tapped:
    """One tensor three times: fp32 on the CPU, correctly rounded fp16 on the CPU, and on the simulator."""

    true: Array
    ideal: Array
    actual: Array


def tap(stepper: Stepper, names: Sequence[str], inputs: Mapping[str, Array], soc: SoC) -> dict[str, Tapped]:
    """The tensors ``names`` of the whole graph. Nodes that none of them needs are left out.

    Args:
        inputs: one array for each graph input, in its shape and dtype.

    Raises:
        InputError: the inputs do not fit. QairtError: the graph cannot run on the CPU or the simulator.
    """
    exact = exact_tensors(stepper)
    true = _collect(stepper, names, inputs, None)
    ideal = _collect(stepper, names, inputs, exact)
    values = read_tensors(stepper.model, names, inputs, soc, true)
    return {name: Tapped(true[name], ideal[name], values[name]) for name in names}


def read_tensors(
    model: onnx.ModelProto,
    names: Sequence[str],
    inputs: Mapping[str, Array],
    soc: SoC,
    like: Mapping[str, Array],
) -> dict[str, Array]:
    """The tensors ``names`` of ``model`` in the simulator.

    Args:
        like: arrays with the tensors' dtypes and shapes.

    Raises:
        QairtError: the graph cannot run on the simulator.
    """
    with tempfile.TemporaryDirectory(prefix="aipc-taps-") as directory:
        path = Path(directory) / "tapped.onnx"
        onnx.save(_tapped_model(model, {name: like[name] for name in names}), path)
        try:
            session = open_session(path, soc, verbose=False)
            feeds = {value.name: inputs[value.name] for value in session.get_inputs()}
            values = session.run(list(names), feeds)
        except Exception as error:
            raise QairtError("the simulator cannot run the tapped graph", detail=str(error)) from error
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def _collect(
    stepper: Stepper, names: Sequence[str], inputs: Mapping[str, Array], exact: frozenset[str] | None
) -> dict[str, Array]:
    """Values of the tensors on the CPU: fp32, or with ``exact`` (what not to round) rounded to fp16."""
    wanted = set(names)
    tensors: dict[str, Array] = {}

    def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
        tensors.update({name: array for name, array in results.items() if name in wanted})

    def store(name: str, array: Array) -> Array:
        return array if exact is None or name in exact else round_fp16(array)

    stepper.walk(inputs, visit=visit, store=store)
    return tensors


def _tapped_model(model: onnx.ModelProto, taps: Mapping[str, Array]) -> onnx.ModelProto:
    needed = ancestors(model, list(taps))
    nodes = [node for node in model.graph.node if node.name in needed]
    used = {name for node in nodes for name in reads(node)}
    outputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in taps.items()
    ]
    initializers = [tensor for tensor in model.graph.initializer if tensor.name in used]
    constant = {tensor.name for tensor in initializers}
    inputs = [value for value in model.graph.input if value.name in used and value.name not in constant]
    graph = helper.make_graph(nodes, model.graph.name, inputs, outputs, initializers)
    part = helper.make_model(graph, opset_imports=model.opset_import, functions=model.functions)
    part.ir_version = model.ir_version
    return part


def ancestors(model: onnx.ModelProto, tensors: Sequence[str]) -> set[str]:
    """Names of the nodes that ``tensors`` need."""
    wanted, nodes = set(tensors), set()
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            nodes.add(node.name)
            wanted.update(reads(node))
    return nodes
