"""A package for ``qnn-net-run``: which context binary, raw files for its inputs, and arrays from its outputs.

``qnn-net-run`` runs a context binary alone, so a package with nodes on the CPU is refused here. The one exception are
QuantizeLinear and DequantizeLinear at the graph's border: their work is done while raw files are written and read.
The command line and the files are those of QAIRT's documentation of qnn-net-run (``--retrieve_context``,
``--input_list``, ``Result_<n>/<tensor>.raw``, ``_native.raw`` for tensors in their own data type).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import InputError, PackageError
from aipc.core.wording import counted

from .compile import read_context
from .context_info import ContextTensor, read_context_info

Array = np.ndarray[Any, Any]
INPUT_LIST = "input_list.txt"


@dataclass(frozen=True, slots=True)
class Border:
    """One input or output of the package and the tensor of the context binary that stands for it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    tensor: ContextTensor


@dataclass(frozen=True, slots=True)
class NetRun:
    """``inputs`` are in the order of the binary's graph, which is the order of an input list without names."""

    binary: Path
    graph: str
    inputs: tuple[Border, ...]
    outputs: tuple[Border, ...]


def plan(package: Path, manifest: Mapping[str, Any], entry: str | None = None) -> NetRun:
    """How ``qnn-net-run`` runs this package.

    Args:
        entry: the EPContext model where a package has one for each of several chips; the manifest's by default.

    Raises:
        PackageError: the package is more than one context binary, or damaged.
    """
    proto, _, binaries = read_context(package / (entry or manifest["entry"]))
    borders = {"QuantizeLinear", "DequantizeLinear"}
    contexts = [node for node in proto.graph.node if node.op_type == "EPContext"]
    others = [node for node in proto.graph.node if node.op_type not in borders | {"EPContext"}]
    if others or len(contexts) != 1 or len(binaries) != 1:
        what = (
            f"{counted(len(others), 'node')} on the CPU" if others else f"{counted(len(contexts), 'part')} on the NPU"
        )
        raise PackageError(
            f"the package has {what}, and qnn-net-run runs one context binary alone",
            remedy="deploy the model without --allow-cpu, or run it with onnxruntime on the device",
        )
    info = read_context_info(binaries[0])
    graph = next((graph for graph in info.graphs if graph.name == _partition(contexts[0])), None)
    graph = graph or (info.graphs[0] if len(info.graphs) == 1 else None)
    if graph is None:
        raise PackageError(
            f"{binaries[0].name} holds {len(info.graphs)} graphs and none is the package's",
            remedy="deploy the model again",
        )
    # A tensor at the border of the binary -> the package's own name for it.
    outer = {node.output[0]: node.input[0] for node in proto.graph.node if node.op_type == "QuantizeLinear"}
    outer |= {node.input[0]: node.output[0] for node in proto.graph.node if node.op_type == "DequantizeLinear"}
    inputs = {spec["name"]: spec for spec in manifest["inputs"]}
    wanted = {spec["name"]: spec for spec in manifest["outputs"]}
    return NetRun(
        binaries[0],
        graph.name,
        tuple(_border(tensor, outer, inputs, "input") for tensor in graph.inputs),
        tuple(_border(tensor, outer, wanted, "output") for tensor in graph.outputs),
    )


def _partition(node: Any) -> str:
    names = [attribute.s.decode() for attribute in node.attribute if attribute.name == "partition_name"]
    return names[0] if names else ""


def _border(tensor: ContextTensor, outer: Mapping[str, str], specs: Mapping[str, Any], kind: str) -> Border:
    name = tensor.name if tensor.name in specs else outer.get(tensor.name, tensor.name)
    spec = specs.get(name)
    if spec is None:
        raise PackageError(
            f"the context binary has the {kind} {tensor.name!r}, which the manifest does not name",
            remedy="deploy the model again",
        )
    shape = tuple(spec["shape"])
    if np.prod(shape, dtype=np.int64) != np.prod(tensor.shape, dtype=np.int64):
        raise PackageError(
            f"{kind} {name} is {list(shape)} in the manifest and {list(tensor.shape)} in the context binary",
            remedy="deploy the model again",
        )
    return Border(name, spec["dtype"], shape, tensor)


def stored_inputs(run: NetRun, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The inputs by the names of the binary's tensors, in its order, data types and shapes.

    Raises:
        InputError: an array is missing or has another shape or dtype.
    """
    stored = {}
    for border in run.inputs:
        if border.name not in arrays:
            raise InputError(f"the inputs have no array {border.name!r}", remedy="give one array for each input")
        array = np.asarray(arrays[border.name])
        if array.shape != border.shape or array.dtype.name != border.dtype:
            raise InputError(
                f"array {border.name!r} is {array.dtype.name}{list(array.shape)} and the package takes "
                f"{border.dtype}{list(border.shape)}",
                remedy="convert it",
            )
        stored[border.tensor.name] = np.ascontiguousarray(_stored(array, border.tensor)).reshape(border.tensor.shape)
    return stored


def write_inputs(run: NetRun, arrays: Mapping[str, Array], directory: Path) -> tuple[str, ...]:
    """Write one raw file for each input and the input list; the names of all files written.

    Files are named by number, so that no name of a tensor becomes a path; paths in the list are relative to it.
    ``arrays``: the package's inputs by name, in their shapes and dtypes.
    Raises InputError as :func:`stored_inputs` does.
    """
    names = []
    for index, (tensor, array) in enumerate(stored_inputs(run, arrays).items()):
        name = f"input_{index}.raw"
        (directory / name).write_bytes(array.tobytes())
        names.append((tensor, name))
    # A name that the list's own syntax would misread is left out: then the order tells.
    plain = all(re.fullmatch(r"[\w./-]+", tensor) for tensor, _ in names)
    line = " ".join(f"{tensor}:={name}" if plain else name for tensor, name in names)
    (directory / INPUT_LIST).write_text(line + "\n", "utf-8")
    return (*(name for _, name in names), INPUT_LIST)


def arguments(
    *, backend: str, binary: str, repeat: int, performance: str, detailed: bool, results: str
) -> tuple[str, ...]:
    """The arguments of ``qnn-net-run``, run in the directory of the input list.

    ``results`` is the directory it makes; ``detailed`` has every node in the profile, else only whole inferences.
    """
    return (
        *("--backend", backend),
        *("--retrieve_context", binary),
        *("--input_list", INPUT_LIST),
        *("--output_dir", results),
        "--use_native_input_files",
        "--use_native_output_files",
        *("--perf_profile", performance),
        *("--profiling_level", "detailed" if detailed else "basic"),
        *("--num_inferences", str(repeat)),
        *("--keep_num_outputs", "1"),
        *("--log_level", "error"),
    )


def output_files(border: Border) -> tuple[str, ...]:
    """The names under which ``qnn-net-run`` may have written an output, the likeliest first; none leads elsewhere."""
    plain = re.sub(r"\W", "_", border.tensor.name)
    stems = [stem for stem in (border.tensor.name, plain, f"_{plain}") if ".." not in stem and not stem.startswith("/")]
    return tuple(f"{stem}{suffix}.raw" for stem in dict.fromkeys(stems) for suffix in ("_native", ""))


def read_outputs(run: NetRun, files: Mapping[int, tuple[Path, bool]]) -> dict[str, Array]:
    """The package's outputs by name.

    Args:
        files: number of the output -> its raw file, and whether that is in the tensor's own data type.

    Raises:
        PackageError: a file is missing or has another size than the tensor.
    """
    arrays = {}
    for index, border in enumerate(run.outputs):
        if index not in files:
            raise PackageError(f"qnn-net-run wrote no output {border.name!r}", remedy="run again")
        arrays[border.name] = _read_raw(*files[index], border)
    return arrays


def _read_raw(path: Path, native: bool, border: Border) -> Array:
    content, tensor = path.read_bytes(), border.tensor
    count = int(np.prod(tensor.shape, dtype=np.int64))
    stored = np.dtype(tensor.dtype)
    if not native and len(content) == count * 4:
        # What is not in the tensor's own data type is float32, whatever was asked for.
        return np.frombuffer(content, np.float32).reshape(border.shape).astype(border.dtype)
    if len(content) != count * stored.itemsize:
        raise PackageError(
            f"output {border.name!r} has {len(content)} bytes; {count} of {stored.name} are {count * stored.itemsize}",
            remedy="run again; if it stays, QAIRT on the device is another version than here",
        )
    return _real(np.frombuffer(content, stored), border)


def from_stored(run: NetRun, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The package's outputs, in its shapes and dtypes.

    Args:
        arrays: by the names of the binary's tensors or, where none fits, in its order.

    Raises:
        PackageError: there are other outputs than the binary has.
    """
    named = {border.tensor.name: border for border in run.outputs}
    if set(arrays) != set(named):
        if len(arrays) != len(named):
            raise PackageError(f"{len(arrays)} outputs came back and the package has {len(named)}", remedy="run again")
        arrays = dict(zip(named, arrays.values(), strict=True))
    by_name = {}
    for name, border in named.items():
        array = np.asarray(arrays[name])
        if array.size != np.prod(border.shape, dtype=np.int64):
            raise PackageError(
                f"output {border.name!r} came back as {list(array.shape)} and is {list(border.shape)}",
                remedy="run again",
            )
        by_name[border.name] = _real(array, border)
    return by_name


def _real(array: Array, border: Border) -> Array:
    """What a stored array stands for: dequantized, in the package's own data type and shape."""
    tensor = border.tensor
    if tensor.scale is not None and np.dtype(border.dtype).kind == "f" and array.dtype.kind != "f":
        array = (array.astype(np.float64) + (tensor.offset or 0)) * tensor.scale
    return array.reshape(border.shape).astype(border.dtype)


def _stored(array: Array, tensor: ContextTensor) -> Array:
    """The array in the tensor's own data type, quantized (to the nearest, clamped) where the tensor is."""
    stored = np.dtype(tensor.dtype)
    if tensor.scale is None or array.dtype.kind != "f":
        return array.astype(stored)
    limits = np.iinfo(stored)
    levels = np.rint(array.astype(np.float64) / tensor.scale) - (tensor.offset or 0)
    result: Array = np.clip(levels, limits.min, limits.max).astype(stored)
    return result
