"""Run an ONNX model in fp32 on onnxruntime's CPU provider: the reference that the simulator is held
against.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from aipc.core.errors import InputError, ModelLoadError, QairtError

Arrays = dict[str, "np.ndarray[Any, Any]"]

_NUMPY_OF_ORT = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    **{f"tensor({name})": name for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")},
}


def run_cpu(model: str | Path, inputs: Mapping[str, np.ndarray[Any, Any]], *, optimize: bool = True) -> Arrays:
    """Run an ONNX file on the CPU.

    Args:
        model: path of the ONNX file; external data is found beside it.
        inputs: one array for each graph input that is not an initializer, with its exact dtype and shape.
        optimize: False runs the nodes as they are written, without onnxruntime's graph optimizations.

    Returns:
        Graph output name -> array, in graph order.

    Raises:
        ModelLoadError: the file is missing, corrupt, or not a valid ONNX model.
        InputError: an input is missing, unknown, or of another dtype or shape than the graph declares.
        QairtError: a node raised while running.
    """
    return run_session(open_cpu(model, optimize=optimize), inputs)


def open_cpu(model: str | Path, *, optimize: bool = True) -> ort.InferenceSession:
    """A session on the CPU for several runs (see :func:`run_cpu`); ``run_session`` runs it.

    Raises:
        ModelLoadError: the file is missing, corrupt, or not a valid ONNX model.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    path = Path(model)
    if not path.is_file():
        raise ModelLoadError(f"there is no ONNX file {path}", remedy="check the path")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelLoadError(
            f"onnxruntime cannot load {path.name}", remedy="export the model again", detail=str(error)
        ) from error


def run_session(session: ort.InferenceSession, inputs: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
    """Check ``inputs`` against the session's declared shapes and dtypes, run it, and name the outputs."""
    feeds = check_inputs(session.get_inputs(), inputs)
    names = [output.name for output in session.get_outputs()]
    try:
        values = session.run(names, feeds)
    except Exception as error:
        raise QairtError("onnxruntime failed while running the model", detail=str(error)) from error
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def check_inputs(declared: Any, inputs: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
    """The arrays as the session wants them (contiguous), or an InputError that names the input
    whose shape or dtype does not fit.
    """
    expected = {value.name: value for value in declared}
    missing = [name for name in expected if name not in inputs]
    if missing:
        raise InputError(f"input {missing[0]!r} is missing", remedy=f"the model takes {', '.join(expected)}")
    unknown = [name for name in inputs if name not in expected]
    if unknown:
        input_names = ", ".join(expected) or "no inputs"
        raise InputError(f"the model has no input {unknown[0]!r}", remedy=f"the model takes {input_names}")
    return {name: _check_input(value, np.asarray(inputs[name])) for name, value in expected.items()}


def _check_input(declared: Any, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    dtype = _NUMPY_OF_ORT.get(declared.type)
    if dtype is not None and array.dtype != np.dtype(dtype):
        raise InputError(
            f"input {declared.name!r} is {array.dtype}, the model takes {dtype}",
            remedy=f"convert it to {dtype}",
        )
    shape = declared.shape
    fits = len(shape) == array.ndim and all(
        not isinstance(want, int) or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise InputError(
            f"input {declared.name!r} has shape {list(array.shape)}, the model takes {list(shape)}",
            remedy="resize or reshape it",
        )
    return np.ascontiguousarray(array).reshape(array.shape)
