"""A graph as a viewer needs it: without its weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import onnx

from aipc.core.errors import ModelLoadError
from aipc.core.types import Event

_KEPT_ELEMENTS = 64
"""Constants up to this size keep their values: axes, shapes, scales."""

_VALUES = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data", "external_data")


def outline(report: Callable[[Event], None], *, model: str, out: str) -> int:
    """Write ``model`` to ``out`` without the values of its large initializers; returns the number of nodes.

    Raises:
        ModelLoadError: the file is not ONNX.
    """
    try:
        graph = onnx.load(model, load_external_data=False)
    except Exception as error:
        raise ModelLoadError(
            f"{Path(model).name} is not a readable ONNX file", remedy="export it again", detail=str(error)
        ) from error
    for tensor in graph.graph.initializer:
        if math.prod(tensor.dims) > _KEPT_ELEMENTS or tensor.data_location == onnx.TensorProto.EXTERNAL:
            for field in _VALUES:
                tensor.ClearField(field)
            tensor.data_location = onnx.TensorProto.DEFAULT
    onnx.save(graph, out)
    return len(graph.graph.node)
