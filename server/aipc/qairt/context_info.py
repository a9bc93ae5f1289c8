"""What a context binary itself says: its graphs, their inputs and outputs with QNN's data types and encodings.

Asked of QAIRT's system library (``QnnSystemContext_getBinaryInfo``), so that raw files can be written and read for
``qnn-net-run``. The layouts are those of QAIRT's public headers QnnSystemInterface.h, QnnSystemContext.h and QnnTypes.h
(system API 1.x, tensors of versions 1 and 2). Native code reads the bytes: call it in a worker.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from ctypes import POINTER, c_char_p, c_float, c_int32, c_uint8, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.errors import PackageError, QairtError

from .runtime import INSTALL, require_qairt

_INT, _UINT, _FLOAT = 0x0000, 0x0100, 0x0200
_FIXED_SIGNED, _FIXED_UNSIGNED, _BOOL = 0x0300, 0x0400, 0x0500
# Qnn_DataType_t: the upper byte is the kind, the lower one the width in bits as two decimal digits.
_DTYPES: Mapping[int, str] = {
    **{_INT + code: f"int{bits}" for code, bits in ((0x08, 8), (0x16, 16), (0x32, 32), (0x64, 64))},
    **{_UINT + code: f"uint{bits}" for code, bits in ((0x08, 8), (0x16, 16), (0x32, 32), (0x64, 64))},
    **{_FLOAT + code: f"float{bits}" for code, bits in ((0x16, 16), (0x32, 32), (0x64, 64))},
    **{_FIXED_SIGNED + code: f"int{bits}" for code, bits in ((0x08, 8), (0x16, 16), (0x32, 32))},
    **{_FIXED_UNSIGNED + code: f"uint{bits}" for code, bits in ((0x08, 8), (0x16, 16), (0x32, 32))},
    _BOOL + 0x08: "bool",
}
_SCALE_OFFSET = 0
_MAX_TENSORS = 1 << 16


@dataclass(frozen=True, slots=True)
class ContextTensor:
    """One input or output of a compiled graph.

    ``dtype`` is the numpy name of what lies in a raw file. ``scale`` and ``offset`` are set for quantized tensors:
    real value = (stored + offset) * scale, QNN's convention, in which the offset is the negated zero point.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class ContextGraph:
    name: str
    inputs: tuple[ContextTensor, ...]
    outputs: tuple[ContextTensor, ...]


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """``build`` is QAIRT's own version text; ``soc_model`` QNN's number of the chip, None where the binary has none."""

    build: str
    soc_model: int | None
    graphs: tuple[ContextGraph, ...]


class _Version(ctypes.Structure):
    _fields_ = [("major", c_uint32), ("minor", c_uint32), ("patch", c_uint32)]


class _ScaleOffset(ctypes.Structure):
    _fields_ = [("scale", c_float), ("offset", c_int32)]


class _Encoding(ctypes.Union):
    # The largest member, Qnn_BwAxisScaleOffset_t, takes 32 bytes and is aligned as a pointer is.
    _fields_ = [("scale_offset", _ScaleOffset), ("space", c_uint64 * 4)]


class _Quantize(ctypes.Structure):
    _fields_ = [("definition", c_uint32), ("encoding", c_uint32), ("value", _Encoding)]


class _Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_uint32)]


class _Tensor(ctypes.Structure):
    """Qnn_Tensor_t with Qnn_TensorV2_t in its union; Qnn_TensorV1_t is the beginning of that."""

    _fields_ = [
        ("version", c_uint32),
        ("_aligned", c_uint32),
        ("id", c_uint32),
        ("name", c_char_p),
        ("type", c_uint32),
        ("format", c_uint32),
        ("dtype", c_uint32),
        ("quantize", _Quantize),
        ("rank", c_uint32),
        ("dimensions", POINTER(c_uint32)),
        ("memory", c_uint32),
        ("buffer", _Buffer),
        ("dynamic", c_void_p),
        ("sparse", c_uint32 * 3),
        ("produced", c_uint8),
    ]


class _Graph(ctypes.Structure):
    """QnnSystemContext_GraphInfo_t with its third and largest version; the earlier ones are the beginning of that."""

    _fields_ = [
        ("version", c_uint32),
        ("name", c_char_p),
        ("input_count", c_uint32),
        ("inputs", POINTER(_Tensor)),
        ("output_count", c_uint32),
        ("outputs", POINTER(_Tensor)),
        ("updateable_count", c_uint32),
        ("updateables", POINTER(_Tensor)),
        ("blob_size", c_uint32),
        ("blob", c_void_p),
        ("first_op", c_uint32),
        ("last_op", c_uint32),
    ]


class _Binary(ctypes.Structure):
    """QnnSystemContext_BinaryInfo_t with its third version."""

    _fields_ = [
        ("version", c_uint32),
        ("_aligned", c_uint32),
        ("backend", c_uint32),
        ("build", c_char_p),
        ("core_api", _Version),
        ("backend_api", _Version),
        ("soc_version", c_char_p),
        ("blob_version", _Version),
        ("blob_size", c_uint64),
        ("tensor_count", c_uint32),
        ("tensors", POINTER(_Tensor)),
        ("graph_count", c_uint32),
        ("graphs", POINTER(_Graph)),
        ("platform", c_void_p),
        ("metadata_size", c_uint32),
        ("metadata", c_void_p),
        ("soc_model", c_uint32),
    ]


class _Interface(ctypes.Structure):
    """QnnSystemInterface_t: of its functions, the first four are create, getBinaryInfo, getMetadata and free."""

    _fields_ = [
        ("backend", c_uint32),
        ("provider", c_char_p),
        ("api", _Version),
        ("functions", c_void_p * 4),
    ]


def read_context_info(binary: str | Path) -> ContextInfo:
    """The graphs of a context binary file.

    Raises:
        MissingDependencyError: QAIRT is not installed. PackageError: not a context binary that this QAIRT reads.
        QairtError: the binary has a form that is not known here.
    """
    path = Path(binary)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path.name} cannot be read: {error.strerror}", remedy="deploy the model again") from error
    functions = _system_functions()
    create = ctypes.CFUNCTYPE(c_uint64, POINTER(c_void_p))(functions[0])
    binary_info = ctypes.CFUNCTYPE(c_uint64, c_void_p, c_void_p, c_uint64, POINTER(c_void_p), POINTER(c_uint64))(
        functions[1]
    )
    free = ctypes.CFUNCTYPE(c_uint64, c_void_p)(functions[3])
    handle, info, size = c_void_p(), c_void_p(), c_uint64()
    if create(ctypes.byref(handle)):
        raise QairtError("QAIRT's system library gives no context", remedy=f"run {INSTALL}")
    try:
        buffer = ctypes.create_string_buffer(content, len(content))
        status = binary_info(handle, buffer, len(content), ctypes.byref(info), ctypes.byref(size))
        if status or not info.value:
            raise PackageError(
                f"{path.name} is not a context binary that QAIRT {require_qairt()} reads (error {status})",
                remedy="deploy the model again",
            )
        return _read(ctypes.cast(info, POINTER(_Binary)).contents, path)
    finally:
        free(handle)


def _system_functions() -> Any:
    import onnxruntime_qnn

    require_qairt()
    name = "QnnSystem.dll" if sys.platform == "win32" else "libQnnSystem.so"
    library = Path(onnxruntime_qnn.__file__).with_name(name)
    try:
        system = ctypes.CDLL(str(library))
    except OSError as error:
        raise QairtError(f"{name} cannot be loaded: {error}", remedy=f"run {INSTALL}") from error
    providers, count = POINTER(POINTER(_Interface))(), c_uint32()
    if system.QnnSystemInterface_getProviders(ctypes.byref(providers), ctypes.byref(count)) or not count.value:
        raise QairtError(f"{name} offers no interface", remedy=f"run {INSTALL}")
    interface = providers[0].contents
    if interface.api.major != 1:
        raise QairtError(
            f"{name} has the interface {interface.api.major}.{interface.api.minor}, and 1.x is known here",
            remedy="install onnxruntime-qnn 2.7",
        )
    return interface.functions


def _read(binary: _Binary, path: Path) -> ContextInfo:
    if binary.version != 3:
        raise QairtError(
            f"{path.name} describes itself in form {binary.version}, and 3 is known here",
            remedy="deploy the model again with this version's QAIRT",
        )
    graphs = tuple(_graph(binary.graphs[index]) for index in range(binary.graph_count))
    return ContextInfo((binary.build or b"").decode("utf-8", "replace"), binary.soc_model or None, graphs)


def _graph(graph: _Graph) -> ContextGraph:
    if max(graph.input_count, graph.output_count) > _MAX_TENSORS or graph.version not in (1, 2, 3):
        raise QairtError("a context binary describes a graph in a form that is not known", remedy="update AIPC")
    return ContextGraph(
        (graph.name or b"").decode("utf-8", "replace"),
        tuple(_tensor(graph.inputs[index]) for index in range(graph.input_count)),
        tuple(_tensor(graph.outputs[index]) for index in range(graph.output_count)),
    )


def _tensor(tensor: _Tensor) -> ContextTensor:
    name = (tensor.name or b"").decode("utf-8", "replace")
    dtype = _DTYPES.get(tensor.dtype)
    if tensor.version not in (1, 2) or dtype is None:
        raise QairtError(
            f"the tensor {name!r} has the data type {tensor.dtype:#06x}, which raw files here cannot hold",
            remedy="run the package with onnxruntime on the device",
        )
    shape = tuple(tensor.dimensions[index] for index in range(tensor.rank))
    quantize = tensor.quantize
    if quantize.definition == 0x7FFFFFFF or quantize.encoding != _SCALE_OFFSET or tensor.dtype < _FIXED_SIGNED:
        return ContextTensor(name, dtype, shape)
    value = quantize.value.scale_offset
    return ContextTensor(name, dtype, shape, value.scale, value.offset)
