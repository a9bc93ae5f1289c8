"""Execute an ONNX graph node by node on the CPU, so that every intermediate tensor can be seen, changed,
and dropped.

onnxruntime can expose intermediate tensors as outputs too, but then all of them live at once, and nothing
can happen between two nodes. Each node is a model of its own here, its constants given as inputs, so equal
nodes share one session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from aipc.core.errors import ModelLoadError, QairtError

from .cpu import Arrays, check_inputs

Array = np.ndarray[Any, Any]
Visit = Callable[[onnx.NodeProto, Mapping[str, Array], Mapping[str, Array]], None]
Store = Callable[[str, Array], Array]

_MAX_SESSIONS = 512


def load(path: str | Path) -> onnx.ModelProto:
    """Load an ONNX file with its external data.

    Raises:
        ModelLoadError: the file is missing or not ONNX.
    """
    try:
        return onnx.load(str(path))
    except Exception as error:
        name = Path(path).name
        raise ModelLoadError(
            f"{name} is not a readable ONNX file", remedy="export it again", detail=str(error)
        ) from error


class Stepper:
    """Executes the nodes of one model. Holds one small CPU session for each distinct node."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.constants: Arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self._sessions: dict[bytes, ort.InferenceSession] = {}
        self._options = ort.SessionOptions()
        self._options.log_severity_level = 4
        self._options.intra_op_num_threads = 1
        self._options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL

    def walk(self, inputs: Mapping[str, Array], *, visit: Visit | None = None, store: Store | None = None) -> Arrays:
        """Run the graph.

        Args:
            inputs: graph input name -> array, with the declared dtypes and shapes.
            visit: called after each node with the node, its inputs and its outputs by tensor name.
            store: what a tensor becomes when it is written (rounding, for example): ``store(name, array)
                -> array``. Applied to inputs, initializers and every node's outputs.

        Returns:
            Graph output name -> array.

        Raises:
            InputError: the inputs do not fit. QairtError: a node raised.
        """
        keep = store or (lambda _, array: array)
        graph = self.model.graph
        declared = [value for value in graph.input if value.name not in self.constants]
        feeds = check_inputs([_Declared(value) for value in declared], inputs)
        values: Arrays = {name: keep(name, array) for name, array in {**self.constants, **feeds}.items()}
        wanted = {output.name for output in graph.output}
        last_use = {name: index for index, node in enumerate(graph.node) for name in reads(node)}
        for index, node in enumerate(graph.node):
            arguments = {name: values[name] for name in reads(node)}
            results = {name: keep(name, array) for name, array in self.run_node(node, arguments).items()}
            values.update(results)
            if visit is not None:
                visit(node, arguments, results)
            for name in (*arguments, *results):
                if name not in wanted and last_use.get(name, index) <= index:
                    values.pop(name, None)
        return {output.name: values[output.name] for output in graph.output}

    def run_node(self, node: onnx.NodeProto, inputs: Mapping[str, Array]) -> Arrays:
        """Outputs of one node, by tensor name, given its inputs (captured outer tensors of a sub-graph
        included), each in the shape and dtype that the node declares.
        """
        canonical, renamed = _canonical(node)
        feeds = {renamed.get(name, name): array for name, array in inputs.items()}
        dtypes = ",".join(f"{name}:{array.dtype}" for name, array in feeds.items())
        key = canonical.SerializeToString(deterministic=True) + dtypes.encode()
        session = self._sessions.get(key)
        try:
            if session is None:
                if len(self._sessions) >= _MAX_SESSIONS:
                    self._sessions.clear()
                session = self._sessions[key] = self._open(canonical, feeds)
            results = session.run(None, feeds)
        except Exception as error:
            raise QairtError(
                f"onnxruntime's CPU provider cannot run the {node.op_type} node {node.name!r}",
                detail=str(error),
            ) from error
        names = [name for name in node.output if name]
        return {name: np.asarray(value) for name, value in zip(names, results, strict=True)}

    def _open(self, node: onnx.NodeProto, feeds: Mapping[str, Array]) -> ort.InferenceSession:
        model = self.model_of(node, feeds)
        return ort.InferenceSession(model.SerializeToString(), self._options, providers=["CPUExecutionProvider"])

    def model_of(self, node: onnx.NodeProto, feeds: Mapping[str, Array]) -> onnx.ModelProto:
        """A model of one node, with an input for each array that it reads, in the array's dtype."""
        arguments = [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), None)
            for name, array in feeds.items()
        ]
        results = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        graph = onnx.helper.make_graph([node], "node", arguments, results)
        model = onnx.helper.make_model(graph, opset_imports=self.model.opset_import, functions=self.model.functions)
        model.ir_version = self.model.ir_version
        return model


class _Declared:
    """A graph input in the form of onnxruntime's own descriptions."""

    def __init__(self, value: onnx.ValueInfoProto) -> None:
        tensor = value.type.tensor_type
        self.name = value.name
        element = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
        self.type = f"tensor({element})"
        self.shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]


def reads(node: onnx.NodeProto) -> tuple[str, ...]:
    """Every tensor that a node reads, once: its inputs, and the outer tensors that its sub-graphs capture."""
    names = dict.fromkeys(name for name in node.input if name)
    for graph in _subgraphs(node):
        names.update(dict.fromkeys(_captured(graph)))
    return tuple(names)


def _subgraphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    graphs = [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]
    for attribute in node.attribute:
        graphs.extend(attribute.graphs)
    return graphs


def _captured(graph: onnx.GraphProto) -> list[str]:
    own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    names: list[str] = []
    for node in graph.node:
        names.extend(name for name in reads(node) if name not in own)
        own.update(node.output)
    names.extend(output.name for output in graph.output if output.name not in own)
    return names


def _canonical(node: onnx.NodeProto) -> tuple[onnx.NodeProto, dict[str, str]]:
    """The node without its name and metadata, its tensors named by position, so that equal nodes are equal
    bytes.
    """
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.ClearField("name")
    copy.ClearField("doc_string")
    copy.ClearField("metadata_props")
    if _subgraphs(node):
        return copy, {}
    renamed = {name: f"i{index}" for index, name in enumerate(dict.fromkeys(filter(None, node.input)))}
    copy.ClearField("input")
    copy.input.extend(renamed[name] if name else "" for name in node.input)
    outputs = [f"o{index}" if name else "" for index, name in enumerate(node.output)]
    copy.ClearField("output")
    copy.output.extend(outputs)
    return copy, renamed
