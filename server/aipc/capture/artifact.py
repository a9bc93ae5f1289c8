"""A capture on disk: model.onnx, source_map.json, inputs.npz, reference.npz."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx_ir as ir
import torch

from aipc.core.types import Origin, SourceMap, TensorSpec
from aipc.graph.save_graph import save_graph
from aipc.numerics.npz import write_npz

from .arguments import Inputs
from .export import Exported
from .interface import CallOutput, as_array, input_names
from .sourcemap import save_source_map


def write_capture(
    exported: Exported, module: torch.nn.Module, inputs: Inputs, answer: CallOutput, directory: Path
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Write the graph with its inputs and PyTorch's ``answer``; the specs of the graph's inputs and outputs."""
    graph = exported.model.graph
    names = input_names(module, inputs)
    feeds = dict(zip(names, inputs.tensors, strict=True))
    copies = name_interface(graph, names, tuple(answer.tensors), exported.source_map)
    save_graph(exported.model, directory / "model.onnx")
    nodes = {**exported.source_map.nodes, **copies}
    save_source_map(dataclasses.replace(exported.source_map, nodes=nodes), directory / "source_map.json")
    save_arrays(directory / "inputs.npz", {value.name or "": feeds[value.name or ""] for value in graph.inputs})
    save_arrays(directory / "reference.npz", answer.tensors)
    return tuple(map(tensor_spec, graph.inputs)), tuple(map(tensor_spec, graph.outputs))


def name_interface(
    graph: ir.Graph, inputs: Sequence[str], outputs: Sequence[str], source_map: SourceMap
) -> dict[str, tuple[Origin, ...]]:
    """Give the graph's inputs and outputs these names.

    An output that is an input, a constant or another output as well gets a copy of its own, so that each name exists.

    Returns:
        The origins of the nodes that copy, by their names.
    """
    copies: dict[str, tuple[Origin, ...]] = {}
    visited: set[ir.Value] = set()
    for place, value in enumerate(graph.outputs):
        producer = value.producer()
        if producer is None or value in visited:
            copy = ir.Value(name="", shape=value.shape, type=value.type)
            used_names = {*source_map.nodes, *copies}
            name = next(name for k in range(len(used_names) + 1) if (name := f"Identity_{k}") not in used_names)
            graph.append(ir.Node("", "Identity", [value], outputs=[copy], name=name))
            copies[name] = source_map.origins(producer.name or "") if producer is not None else ()
            graph.outputs[place] = value = copy
        visited.add(value)
    values = [*graph.inputs, *graph.outputs]
    _free({*inputs, *outputs}, graph, values)
    for value, name in zip(values, [*inputs, *outputs], strict=True):
        value.name = name
    return copies


def _free(names: set[str], graph: ir.Graph, values: Sequence[ir.Value]) -> None:
    """Rename the values inside the graph that have one of ``names``."""
    keep = set(values)
    inner = [value for node in graph.all_nodes() for value in node.outputs if value not in keep]
    constants = list(graph.initializers.values())
    used = {value.name for value in (*inner, *constants)} | names

    def other(name: str) -> str:
        count = next(k for k in range(1, len(used) + 2) if f"{name}.{k}" not in used)
        used.add(f"{name}.{count}")
        return f"{name}.{count}"

    for value in inner:
        if value.name in names:
            value.name = other(value.name)
    for value in constants:
        if value.name in names:
            graph.initializers.pop(value.name)
            value.name = other(value.name)
            graph.initializers[value.name] = value


def save_arrays(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors of any shape and dtype by name as ``.npz``, the same bytes for the same values."""
    write_npz(path, {name: as_array(tensor) for name, tensor in tensors.items()})


def tensor_spec(value: ir.Value) -> TensorSpec:
    shape = tuple(int(str(dim)) for dim in value.shape) if value.shape is not None else ()
    dtype = value.dtype.numpy().name if value.dtype is not None else "float32"
    return TensorSpec(value.name or "", dtype, shape)
