"""Run the float graph on the calibration samples and keep a histogram of every float tensor.

What was seen is written after every sample: an interrupted collection goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.errors import InputError
from aipc.core.hashing import hash_file, hash_value
from aipc.core.types import Event
from aipc.graph.extract import infer_shapes
from aipc.numerics.cpu import open_cpu, run_session
from aipc.numerics.npz import read_npz, write_npz
from aipc.numerics.observer import Observer
from aipc.quantize.quantization_results import Statistics

from . import moments
from .histogram import Histogram

Array = np.ndarray[Any, Any]

FILE = "statistics.npz"
MOMENTS = "moments.npz"
PROBES = "probes"
PROBE_COUNT = 4
_FORMAT = 4
_SAVE_SECONDS = 5.0
_THREADS = 4
"""More would hold more copies of large tensors at once."""
_SAVE_SHARE = 10.0
"""Work at least so many times as long as the last saving took."""


def collect(report: Callable[[Event], None], model: str, samples: str, out: str) -> Statistics:
    """See :func:`aipc.quantize.jobs.collect`."""
    started = time.perf_counter()
    paths = sorted(Path(samples).glob("[0-9]*.npz"))
    if not paths:
        raise InputError(f"there is no calibration sample in {samples}", remedy="name calibration data")
    directory = Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    graph = graph_digest(Path(model))
    sources = [hash_file(path) for path in paths]
    digest = hash_value({"format": _FORMAT, "graph": graph, "samples": sorted(sources)})
    histograms, together, finished = _resume(directory, graph, set(sources))
    tensors = observed(Path(model))
    layers: dict[str, list[moments.Layer]] = {}
    for layer in moments.layers_of(infer_shapes(onnx.load(model, load_external_data=False))):
        layers.setdefault(layer.tensor, []).append(layer)
    left = [(path, source) for path, source in zip(paths, sources, strict=True) if source not in finished]
    observer = Observer(Path(model), tensors) if left and tensors else None
    shapes: dict[str, tuple[int, ...]] = {}

    def see(path: Path, seed: int, threads: Executor) -> None:
        def add(name: str, array: Array) -> None:
            histograms[name].add(array)
            for layer in layers.get(name, ()):
                moments.add(together, layer, array, seed)

        for group in observer.run(read_npz(path)) if observer else ():
            shapes.update({name: array.shape for name, array in group.items()})
            for name in group:
                histograms.setdefault(name, Histogram())
            # NumPy lets go of the interpreter in its loops, and every tensor has sums of its own.
            list(threads.map(add, group, group.values()))

    saved, pause = time.perf_counter(), _SAVE_SECONDS
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        for number, (path, source) in enumerate(left, 1):
            note = f"calibrating: sample {len(paths) - len(left) + number} of {len(paths)}"
            report(Event("calibrate", note, (number - 1) / len(left)))
            see(path, int(source[:8], 16), threads)
            finished.add(source)
            if number == len(left) or time.perf_counter() - saved > pause:
                before = time.perf_counter()
                # The moments first: the other file says which samples both hold.
                moments.save(directory / f"{len(finished)}-{MOMENTS}", together)
                save(directory / FILE, histograms, graph, sorted(finished), shapes)
                for old in directory.glob(f"*-{MOMENTS}"):
                    if old.name != f"{len(finished)}-{MOMENTS}":
                        old.unlink()
                saved = time.perf_counter()
                pause = max(_SAVE_SECONDS, _SAVE_SHARE * (saved - before))
    _keep_probes(directory, paths, Path(model))
    notes = _notes(histograms)
    return Statistics(
        str(directory), digest, len(histograms), len(paths), round(time.perf_counter() - started, 3), notes
    )


def _keep_probes(directory: Path, paths: Sequence[Path], model: Path) -> None:
    """A few of the samples with the graph's own outputs: what quantized graphs are compared on before one is taken."""
    folder = directory / PROBES
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    session = open_cpu(model)
    step = max(1, len(paths) // PROBE_COUNT)
    for number, path in enumerate(paths[::step][:PROBE_COUNT]):
        arrays = read_npz(path)
        write_npz(folder / f"{number:04d}.npz", arrays)
        write_npz(folder / f"{number:04d}.reference.npz", run_session(session, arrays))


def probes(directory: Path) -> list[tuple[Path, Path]]:
    """Samples, each with the file of the float graph's outputs for it."""
    folder = directory / PROBES
    files = sorted(path for path in folder.glob("[0-9]*.npz") if path.suffixes == [".npz"])
    return [(path, path.with_suffix(".reference.npz")) for path in files]


def observed(model: Path) -> list[tuple[str, int]]:
    """The float tensors that nodes take or make, inputs included, with their bytes, in graph order."""
    proto = infer_shapes(onnx.load(str(model), load_external_data=False))
    known = {
        value.name: value.type.tensor_type
        for value in (*proto.graph.value_info, *proto.graph.output, *proto.graph.input)
    }
    constants = {item.name for item in proto.graph.initializer}
    names = [value.name for value in proto.graph.input]
    names += [name for node in proto.graph.node for name in node.output if node.op_type != "Constant"]
    sizes = []
    for name in dict.fromkeys(names):
        kind = known.get(name)
        if not name or name in constants or kind is None or kind.elem_type != onnx.TensorProto.FLOAT:
            continue
        size = 4
        for dimension in kind.shape.dim:
            size *= max(dimension.dim_value, 1)
        sizes.append((name, size))
    return sizes


def graph_digest(model: Path) -> str:
    data = model.with_name("model.data")
    return hash_value([hash_file(model), hash_file(data) if data.is_file() else ""])


def load(directory: Path) -> dict[str, Histogram]:
    """Tensor name -> what was seen of it.

    Raises:
        InputError: there are no statistics, or they are damaged.
    """
    try:
        histograms, _ = _read(directory / FILE)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"there are no statistics in {directory}", remedy="calibrate again") from error
    return histograms


def load_moments(directory: Path) -> dict[str, moments.Moments]:
    """Node -> the moments of its inputs; empty where none were kept."""
    files = sorted(directory.glob(f"*-{MOMENTS}"))
    return moments.load(files[-1]) if files else {}


def load_shapes(directory: Path) -> dict[str, tuple[int, ...]]:
    """Tensor name -> its shape as it was seen: a graph with open dimensions does not say it itself."""
    with np.load(directory / FILE) as data:
        return {name: tuple(shape) for name, shape in json.loads(bytes(data["head"]))["shapes"].items()}


def save(
    path: Path,
    histograms: dict[str, Histogram],
    graph: str,
    finished: list[str],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Whole or not at all, so that an interruption leaves the last complete state."""
    items = histograms.values()
    head = {"graph": graph, "samples": finished, "names": list(histograms), "shapes": shapes}
    temporary = path.with_suffix(".tmp.npz")
    arrays: dict[str, Array] = {
        "head": np.frombuffer(json.dumps(head).encode(), np.uint8),
        "range": np.array([[item.low, item.high, item.radius] for item in items], np.float64).reshape(-1, 3),
        "apart": np.array([[item.zeros, item.invalid] for item in items], np.int64).reshape(-1, 2),
        "counts": np.array([item.counts for item in items], np.int64),
    }
    write_npz(temporary, arrays)
    temporary.replace(path)


def _read(path: Path) -> tuple[dict[str, Histogram], dict[str, Any]]:
    with np.load(path) as data:
        head = json.loads(bytes(data["head"]))
        rows = zip(head["names"], data["range"], data["apart"], data["counts"], strict=True)
        histograms = {
            name: Histogram(float(low), float(high), float(radius), int(zeros), int(invalid), counts)
            for name, (low, high, radius), (zeros, invalid), counts in rows
        }
    return histograms, head


def _resume(
    directory: Path, graph: str, wanted: set[str]
) -> tuple[dict[str, Histogram], dict[str, moments.Moments], set[str]]:
    """What an interrupted call has seen, unless it was of another graph or of samples that are no more."""
    try:
        histograms, head = _read(directory / FILE)
        finished = set(head["samples"])
        together = moments.load(directory / f"{len(finished)}-{MOMENTS}")
    except Exception:  # damaged in any way: begin again
        return {}, {}, set()
    return (histograms, together, finished) if head["graph"] == graph and finished <= wanted else ({}, {}, set())


def _notes(histograms: dict[str, Histogram]) -> tuple[str, ...]:
    invalid = [name for name, item in histograms.items() if item.invalid]
    constant = [name for name, item in histograms.items() if item.low == item.high]
    notes = []
    if invalid:
        notes.append(f"{len(invalid)} tensors held NaN or infinity in calibration, {invalid[0]} first")
    if constant:
        notes.append(f"{len(constant)} tensors were constant in calibration, {constant[0]} first")
    return tuple(notes)
