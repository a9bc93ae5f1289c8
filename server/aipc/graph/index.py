"""Small tools on an ONNX graph that is being prepared: look things up, replace nodes, keep what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from aipc.core.provenance import Provenance

Array = np.ndarray[Any, Any]


class Graph:
    """A model with its look-ups; ``derived`` maps new nodes to those of the original graph that they stand for."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.constants = {item.name: item for item in model.graph.initializer}
        self.outputs = {value.name for value in model.graph.output}
        self.derived: dict[str, tuple[str, ...]] = {}
        self.producers: dict[str, onnx.NodeProto] = {}
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._lift_constants()
        self._index()
        for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
            shape = value.type.tensor_type.shape
            self.shapes[value.name] = tuple(dim.dim_value for dim in shape.dim)

    def _lift_constants(self) -> None:
        """Constant nodes as initializers: the quantizer takes weights and biases from nowhere else."""
        for node in list(self.model.graph.node):
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                tensor = onnx.TensorProto()
                tensor.CopyFrom(node.attribute[0].t)
                tensor.name = node.output[0]
                self.model.graph.initializer.append(tensor)
                self.constants[tensor.name] = tensor
                self.model.graph.node.remove(node)

    def _index(self) -> None:
        self.producers = {name: node for node in self.model.graph.node for name in node.output}
        self.consumers = {}
        for node in self.model.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)

    def refresh(self) -> None:
        """Look everything up again after the model was changed from outside."""
        self.constants = {item.name: item for item in self.model.graph.initializer}
        self._index()

    def array(self, name: str) -> Array | None:
        """The value of a constant; None for anything else."""
        item = self.constants.get(name)
        return None if item is None else np.asarray(numpy_helper.to_array(item))

    def sole_consumer(self, name: str) -> onnx.NodeProto | None:
        """The one node that reads a tensor; None where there are several, or the tensor is an output of the graph."""
        consumers = self.consumers.get(name, [])
        return consumers[0] if len(consumers) == 1 and name not in self.outputs else None

    def add_constant(self, name: str, array: Array) -> str:
        """Add an initializer with the shape and dtype of ``array``; return its name, which begins with ``name``."""
        while name in self.constants:
            name += "_"
        item = numpy_helper.from_array(np.ascontiguousarray(array), name)
        self.model.graph.initializer.append(item)
        self.constants[name] = self.model.graph.initializer[-1]
        return name

    def replace(self, old: list[onnx.NodeProto], new: list[onnx.NodeProto]) -> None:
        """``new`` in the place of the last of ``old``; each new node stands for all of the old ones."""
        sources = tuple(dict.fromkeys(item for node in old for item in self.sources(node.name)))
        old_names = {node.name for node in old}
        nodes = list(self.model.graph.node)
        place = max(index for index, node in enumerate(nodes) if node.name in old_names)
        nodes_before = [node for node in nodes[: place + 1] if node.name not in old_names]
        nodes_before += [*new, *nodes[place + 1 :]]
        for node in new:
            self.derived[node.name] = sources
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes_before]
        del self.model.graph.node[:]
        self.model.graph.node.extend(copies)
        self._index()

    def sources(self, name: str) -> tuple[str, ...]:
        """The original nodes that a node stands for."""
        return Provenance(self.derived).sources((name,))


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    for item in node.attribute:
        if item.name == name:
            return onnx.helper.get_attribute_value(item)
    return default
