"""Jobs that run the author's code, for the worker pool."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from torch.utils import _pytree as pytree

from aipc.core.config import ModelRef
from aipc.core.errors import InputError, MissingDependencyError
from aipc.core.types import Event, OutputAccuracy, TensorSpec

from .export import OPSET, Exported, export
from .failures import findings_of
from .files import recorded_files
from .inputs import Inputs, example_inputs, parameter_names
from .load import LoadedModel, innermost_user_range, load_model
from .results import CaptureResult, InferredInputs
from .sourcemap import save_source_map

Report = Callable[[Event], None]
_EXTERNAL_BYTES = 1_500_000_000


def capture(
    report: Report, *, ref: ModelRef, out: str, opset: int | None = None, strategy: str = "one-trace"
) -> CaptureResult:
    """Capture ``ref`` into the directory ``out``; an export failure is a result with findings, not an exception."""
    directory = Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    if ref.kind == "captured":
        from .captured import take_over

        return take_over(ref, directory)
    if ref.kind != "python":
        from .graphs import capture_graph

        return capture_graph(report, ref=ref, directory=directory, opset=opset or OPSET)
    with recorded_files(ref.path) as files:
        report(Event("capture", f"loading {ref.name}"))
        started = time.perf_counter()
        loaded = load_model(ref)
        seconds = time.perf_counter() - started
        result = capture_loaded(report, loaded, directory, strategy=strategy, opset=opset or OPSET)
    return replace(result, files=files.hashes(), timings={"load": seconds, **result.timings})


def capture_loaded(
    report: Report,
    loaded: LoadedModel,
    directory: Path,
    inputs: Inputs | None = None,
    *,
    strategy: str = "one-trace",
    opset: int = OPSET,
) -> CaptureResult:
    """Capture a model that is loaded into ``directory``; its ``files`` are the caller's to say.

    Raises:
        InputError: there are no example inputs, or forward raises on them.
    """
    timings: dict[str, float] = {}
    report(Event("capture", "finding example inputs"))
    started = time.perf_counter()
    inputs = inputs or example_inputs(loaded)
    reference = _forward(loaded, inputs)
    timings["forward"] = time.perf_counter() - started
    report(Event("capture", "tracing"))
    started = time.perf_counter()
    try:
        exported = export(
            loaded.module, inputs.args, inputs.kwargs, loaded.constructions, strategy=strategy, opset=opset
        )
    except MissingDependencyError:
        raise
    except Exception as error:
        return CaptureResult(
            False,
            (),
            (),
            0,
            findings_of(error, loaded.ref.path),
            {},
            inputs.provenance,
            strategy,
            timings,
            f"{type(error).__name__}: {error}"[:4000],
        )
    timings["export"] = time.perf_counter() - started
    started = time.perf_counter()
    result = _write(exported, loaded, inputs, reference, directory)
    timings["write"] = time.perf_counter() - started
    nodes = len(exported.source_map.nodes)
    return CaptureResult(True, *result, nodes, (), {}, inputs.provenance, exported.strategy, timings)


def _forward(loaded: LoadedModel, inputs: Inputs) -> Any:
    """PyTorch's own answer in fp32; also settles modules that build state at their first call."""
    try:
        with torch.no_grad():
            return loaded.module(*_copies(inputs.args), **_copies(dict(inputs.kwargs)))
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise InputError(
            f"forward raised {type(error).__name__} on the example inputs ({inputs.provenance}): "
            f"{lines[0] if lines else 'no message'}",
            remedy="correct the inputs in the configuration, or the model",
            range=innermost_user_range(error),
        ) from error


def _copies(value: Any) -> Any:
    return pytree.tree_map(lambda item: item.clone() if isinstance(item, torch.Tensor) else item, value)


def _write(
    exported: Exported, loaded: LoadedModel, inputs: Inputs, reference: Any, directory: Path
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    graph = exported.model.graph
    _rename_outputs(graph, reference)
    save_model(exported.model, directory / "model.onnx")
    save_source_map(exported.source_map, directory / "source_map.json")
    tensors = [
        item for item in pytree.tree_leaves((inputs.args, dict(inputs.kwargs))) if isinstance(item, torch.Tensor)
    ]
    by_name = dict(zip((value.name or "" for value in graph.inputs), tensors, strict=False))
    if len(graph.inputs) != len(tensors):
        # PyTorch leaves out an input that nothing reads: match the others by their argument's name.
        flat = dict(zip(parameter_names(loaded.module), inputs.args, strict=False)) | dict(inputs.kwargs)
        by_name = {value.name or "": flat[value.name] for value in graph.inputs if value.name in flat}
    save_arrays(directory / "inputs.npz", by_name)
    leaves = _tensor_leaves(reference)
    outputs = {value.name or "": leaf for value, leaf in zip(graph.outputs, leaves, strict=True)}
    save_arrays(directory / "reference.npz", outputs)
    return tuple(map(tensor_spec, graph.inputs)), tuple(map(tensor_spec, graph.outputs))


def save_arrays(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors by name as ``.npz``, the same bytes for the same values."""
    np.savez(path, **{name: tensor.detach().numpy() for name, tensor in tensors.items()})  # type: ignore[arg-type]


def _tensor_leaves(reference: Any) -> list[torch.Tensor]:
    return [leaf for leaf in pytree.tree_leaves(reference) if isinstance(leaf, torch.Tensor)]


def _rename_outputs(graph: ir.Graph, reference: Any) -> None:
    """Outputs are called what the model calls them: keys and fields, else ``output`` or ``output_0`` ..."""
    paths = [path for path, leaf in pytree.tree_leaves_with_path(reference) if isinstance(leaf, torch.Tensor)]
    names = [
        "_".join(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", "")))) for key in path)
        for path in paths
    ]
    names = [name if name and not name[0].isdigit() else f"output_{name}".rstrip("_") for name in names]
    taken = {value.name for value in graph.inputs} | set(graph.initializers)
    for value, name in zip(graph.outputs, names, strict=False):
        unique = name
        while unique in taken:
            unique += "_out"
        taken.add(unique)
        if value.is_graph_input() or value in graph.initializers.values():
            continue
        value.name = unique


def save_model(model: ir.Model, path: Path) -> None:
    """Write an ONNX file, weights beside it when protobuf's limit of 2 GiB is near."""
    size = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None)
    if size > _EXTERNAL_BYTES:
        ir.save(model, path, external_data="model.data")
    else:
        ir.save(model, path)


def tensor_spec(value: ir.Value) -> TensorSpec:
    shape = tuple(int(str(dim)) for dim in value.shape) if value.shape is not None else ()
    dtype = value.dtype.numpy().name if value.dtype is not None else "float32"
    return TensorSpec(value.name or "", dtype, shape)


def infer(report: Report, *, ref: ModelRef) -> InferredInputs:
    """What example inputs would be used for ``ref``, and why."""
    loaded = load_model(ref)
    inputs = example_inputs(loaded)
    return InferredInputs(inputs.shapes(loaded.module), inputs.provenance)


def verify_capture(report: Report, *, directory: str) -> tuple[OutputAccuracy, ...]:
    """The captured graph on onnxruntime's CPU provider against PyTorch, both in fp32."""
    from aipc.qairt.cpu import run_cpu
    from aipc.qairt.metrics import compare_outputs

    folder = Path(directory)
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "reference.npz") as reference:
        report(Event("verify capture", "running the captured graph on the CPU"))
        actual = run_cpu(folder / "model.onnx", dict(inputs))
        return compare_outputs(dict(reference), actual)
