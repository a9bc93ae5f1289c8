"""Capture of models that are graphs already: ``.onnx`` files and ``.pt2`` exported programs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
import torch

from aipc.core.config import ModelRef
from aipc.core.errors import InputError, ModelLoadError
from aipc.core.hashing import hash_file
from aipc.core.types import Event, SourceMap, TensorSpec
from aipc.graph.save_graph import save_graph
from aipc.numerics.npz import write_npz

from . import spec as specs
from .archive import load_program
from .capture_result import CaptureResult
from .sourcemap import save_source_map

_SEED = 0

_OLDEST_OPSET = 18
"""Rewrites and quantization write the operators of this opset and later ones."""


def capture_graph(report: Callable[[Event], None], *, ref: ModelRef, directory: Path, opset: int) -> CaptureResult:
    """Normalize an ONNX file (static shapes, unique node names) and compute its reference on the CPU.

    Raises:
        ModelLoadError: the file is not a valid model.
        InputError: a dynamic dimension has no size.
    """
    if ref.kind == "pt2":
        return _capture_program(report, ref, directory, opset)
    started = time.perf_counter()
    report(Event("capture", f"reading {ref.path.name}"))
    model = read_onnx(ref.path)
    inputs = _inputs(model, ref)
    _fix_shapes(model, {name: array.shape for name, array in inputs.items()})
    _name_nodes(model)
    # A node that ONNX knows no shape of stays without one.
    with contextlib.suppress(Exception):
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    save_graph(model, directory / "model.onnx", keep=True)
    timings = {"load": time.perf_counter() - started}
    started = time.perf_counter()
    from aipc.numerics.cpu import run_cpu

    write_npz(directory / "inputs.npz", inputs)
    # The reference is the author's own graph; the gate of the next stage holds the newer form against it.
    outputs = run_cpu(directory / "model.onnx", inputs, optimize=False)
    newer = _newer(model, opset)
    if newer is not None:
        model = newer
        save_graph(model, directory / "model.onnx")
    write_npz(directory / "reference.npz", outputs)
    timings["forward"] = time.perf_counter() - started
    names = [node.name for node in model.graph.node]
    save_source_map(SourceMap(dict.fromkeys(names, ())), directory / "source_map.json")
    return CaptureResult(
        True,
        tuple(_spec(name, array) for name, array in inputs.items()),
        tuple(_spec(name, array) for name, array in outputs.items()),
        len(names),
        (),
        {str(ref.path): hash_file(ref.path)},
        "the configuration" if ref.inputs else "random values of the graph's own input shapes",
        "onnx",
        timings,
    )


def read_onnx(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(str(path))
        if not model.graph.node:
            raise ValueError("the graph has no node")
        onnx.checker.check_model(model)
    except FileNotFoundError as error:
        raise ModelLoadError(
            f"{path.name} keeps its weights in a file that is missing: {error}",
            remedy="put it beside the model",
        ) from error
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise ModelLoadError(
            f"{path} is not a valid ONNX file: {lines[0] if lines else type(error).__name__}",
            remedy="export it again or check that it was copied whole",
            detail=str(error),
        ) from error
    return model


def _graph_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def _inputs(model: onnx.ModelProto, ref: ModelRef) -> dict[str, np.ndarray]:
    values = _graph_inputs(model)
    arrays_by_name: dict[str, str] = {}
    if isinstance(ref.inputs, str) and ref.inputs.endswith(".npz"):
        arrays = specs.array_file(ref.root / ref.inputs)
        return {name: tensor.numpy() for name, tensor in arrays.items()}
    if isinstance(ref.inputs, str):
        arrays_by_name = {values[0].name: ref.inputs}
    elif isinstance(ref.inputs, (tuple, list)):
        arrays_by_name = dict(zip((value.name for value in values), ref.inputs, strict=False))
    elif ref.inputs:
        arrays_by_name = dict(ref.inputs)
        if len(values) == 1 and len(arrays_by_name) == 1:
            arrays_by_name = {values[0].name: next(iter(arrays_by_name.values()))}
    dims = ref.config.sizes if ref.config else {}
    result = {}
    for value in values:
        if value.name in arrays_by_name:
            result[value.name] = _array(arrays_by_name[value.name], value, ref, dims)
            continue
        tensor = value.type.tensor_type
        shape = [
            dim.dim_value or dims.get(dim.dim_param) or _dynamic(value.name, dim.dim_param or str(axis), axis)
            for axis, dim in enumerate(tensor.shape.dim)
        ]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        result[value.name] = specs.random_tensor(shape, getattr(torch, dtype.name, torch.float32)).numpy()
    return result


def _dynamic(name: str, dim: str, axis: int) -> int:
    if axis == 0:
        return 1
    raise InputError(
        f"dimension {dim!r} of input {name!r} has no fixed size",
        remedy=f'pin it in the configuration, for example dims = {{ "{dim}" = 640 }}',
    )


def _array(text: str, value: onnx.ValueInfoProto, ref: ModelRef, dims: dict[str, int]) -> np.ndarray:
    if specs.is_shape(text):
        return specs.tensor_from(text, dims=dims).numpy()
    path = ref.root / text
    if specs.is_image(text):
        sides = [dim.dim_value for dim in value.type.tensor_type.shape.dim][-2:]
        return specs.image_file(path, (sides[0] or 640, sides[1] or 640)).numpy()
    if path.suffix in {".npy", ".npz"}:
        arrays = specs.array_file(path)
        return arrays.get(value.name, next(iter(arrays.values()))).numpy()
    if ".py:" in text:
        from .load import import_file

        file, _, function = text.rpartition(":")
        example = getattr(import_file(ref.root / file, ref.root), function)()
        args, kwargs = specs.as_arguments(example, text)
        return np.asarray(kwargs.get(value.name, next(iter((*args, *kwargs.values())))))
    raise InputError(f"the input {text!r} is not understood", remedy="write for example float32[1,3,640,640]")


def _fix_shapes(model: onnx.ModelProto, shapes: dict[str, tuple[int, ...]]) -> None:
    changed = False
    for value in _graph_inputs(model):
        wanted = shapes.get(value.name)
        dims = value.type.tensor_type.shape.dim
        if wanted is None or [dim.dim_value for dim in dims] == list(wanted):
            continue
        changed = True
        del dims[:]
        for size in wanted:
            dims.add().dim_value = size
    if changed:
        del model.graph.value_info[:]
        for output in model.graph.output:
            output.type.tensor_type.ClearField("shape")


def _newer(model: onnx.ModelProto, opset: int) -> onnx.ModelProto | None:
    """A graph of an old opset in the words of ``opset``; None where it is new enough or ONNX cannot tell."""
    version = next((item.version for item in model.opset_import if item.domain in {"", "ai.onnx"}), opset)
    if version >= _OLDEST_OPSET:
        return None
    try:
        converted = onnx.version_converter.convert_version(model, opset)
        onnx.checker.check_model(converted)
    except Exception:
        return None
    _name_nodes(converted)
    with contextlib.suppress(Exception):
        converted = onnx.shape_inference.infer_shapes(converted, data_prop=True)
    return converted


def _name_nodes(model: onnx.ModelProto) -> None:
    """Names that are there and unique stay; the others become ``Operator_k``."""
    used_names: set[str] = set()
    counts: dict[str, int] = {}
    for node in model.graph.node:
        name = node.name
        while not name or name in used_names:
            counts[node.op_type] = counts.get(node.op_type, -1) + 1
            name = f"{node.op_type}_{counts[node.op_type]}"
        node.name = name
        used_names.add(name)


def _spec(name: str, array: np.ndarray) -> TensorSpec:
    return TensorSpec(name, array.dtype.name, tuple(array.shape))


def _capture_program(report: Callable[[Event], None], ref: ModelRef, directory: Path, opset: int) -> CaptureResult:
    """A saved exported program holds its own example inputs and no Python: its nodes have no source."""
    from .arguments import Inputs
    from .artifact import write_capture
    from .export import export
    from .failures import findings_of
    from .interface import call
    from .load import LoadedModel
    from .recorder import ConstructionRecorder

    report(Event("capture", f"reading {ref.path.name}"))
    started = time.perf_counter()
    program = load_program(ref.path)
    try:
        module = program.module()
    except Exception as error:
        raise ModelLoadError(
            f"{ref.path} is not an exported program that this PyTorch can run",
            remedy="write it with torch.export.save of the same version",
            detail=str(error),
        ) from error
    args, kwargs = program.example_inputs or ((), {})
    loaded = LoadedModel(module, ref, program, ConstructionRecorder())
    inputs = Inputs(tuple(args), dict(kwargs), "the exported program's own example inputs")
    files = {str(ref.path): hash_file(ref.path)}
    answer = call(module, inputs)
    timings = {"load": time.perf_counter() - started}
    started = time.perf_counter()
    try:
        exported = export(program, inputs.args, inputs.kwargs, loaded.constructions, opset=opset)
    except Exception as error:
        findings = findings_of(error, ref.path)
        return CaptureResult(False, (), (), 0, findings, files, inputs.provenance, "pt2", timings, str(error)[:4000])
    timings["export"] = time.perf_counter() - started
    ins, outs = write_capture(exported, module, inputs, answer, directory)
    return CaptureResult(True, ins, outs, len(exported.source_map.nodes), (), files, inputs.provenance, "pt2", timings)
