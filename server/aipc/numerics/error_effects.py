"""What an error inside a model does to its outputs: an fp32 run on the CPU with the error added to one tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper

from aipc.core.errors import QairtError

from .cpu import Arrays
from .metrics import sqnr_db

Array = np.ndarray[Any, Any]

_PLAIN, _ERROR = "__aipc_plain", "__aipc_error"


class Effects:
    """One session in which every tensor of ``tensors`` may be given an error.

    Args:
        model: the fp32 graph, not changed.
        tensors: float32 tensors of it that a node or the caller makes, with their ranks.
        inputs: what the model is run on.

    Raises:
        QairtError: onnxruntime's CPU provider cannot run the graph.
    """

    def __init__(self, model: onnx.ModelProto, tensors: Mapping[str, int], inputs: Mapping[str, Array]) -> None:
        self._none = {name + _ERROR: np.zeros((1,) * rank, np.float32) for name, rank in tensors.items()}
        self._inputs = dict(inputs)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        try:
            # A model near protobuf's limit of 2 GiB cannot be serialized; nothing that compiles here is that large.
            self._session = ort.InferenceSession(
                _with_errors(model, tensors).SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise QairtError("onnxruntime cannot load the graph with errors in it", detail=str(error)) from error
        self._names = [output.name for output in self._session.get_outputs()]
        self.reference = self.outputs({})

    def outputs(self, errors: Mapping[str, Array]) -> Arrays:
        """The model's outputs with ``errors``: tensor -> what is added to it, float32 in its shape."""
        feeds = {**self._inputs, **self._none}
        feeds.update({name + _ERROR: np.asarray(array, np.float32) for name, array in errors.items()})
        try:
            values = self._session.run(self._names, feeds)
        except Exception as error:
            raise QairtError("onnxruntime cannot run the graph with errors in it", detail=str(error)) from error
        return {name: np.asarray(value) for name, value in zip(self._names, values, strict=True)}

    def sqnr(self, errors: Mapping[str, Array]) -> float:
        """SQNR in dB of the worst output with ``errors``, against none. Only outputs of a float dtype count."""
        outputs = self.outputs(errors)
        figures = [sqnr_db(value, outputs[name]) for name, value in self.reference.items() if value.dtype.kind == "f"]
        return min(figures, default=float("inf"))


def _with_errors(model: onnx.ModelProto, tensors: Mapping[str, int]) -> onnx.ModelProto:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    nodes: list[onnx.NodeProto] = []
    names = [value.name for value in graph.input if value.name in tensors]
    nodes.extend(_add(name, name, name + _PLAIN) for name in names)
    for node in graph.node:
        _rename(node, names)
        nodes.append(node)
        for position, name in enumerate(node.output):
            if name in tensors:
                node.output[position] = name + _PLAIN
                nodes.append(_add(name, name + _PLAIN, name))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    # Shapes that were inferred for the plain graph would contradict an error of unknown size.
    del graph.value_info[:]
    graph.input.extend(
        helper.make_tensor_value_info(name + _ERROR, onnx.TensorProto.FLOAT, [None] * rank)
        for name, rank in tensors.items()
    )
    return changed


def _add(name: str, left: str, result: str) -> onnx.NodeProto:
    return helper.make_node("Add", [left, name + _ERROR], [result], name=f"{name}__aipc_add")


def _rename(node: onnx.NodeProto, tensors: Sequence[str]) -> None:
    """Readers of a graph input with an error read the sum. A sub-graph's captured inputs keep the plain one."""
    for position, name in enumerate(node.input):
        if name in tensors:
            node.input[position] = name + _PLAIN
