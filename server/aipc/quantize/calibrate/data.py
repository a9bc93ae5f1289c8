"""Calibration data on disk, as the graph takes it, and held-out data with PyTorch's answers.

Reading is cheap and done again after an interruption; what is expensive, the statistics, goes by the samples' content
and goes on where it was. Which items of a source calibrate and which are held out is drawn from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aipc.capture.files import recorded_files
from aipc.capture.load import seed_everything
from aipc.core.config import ModelRef
from aipc.core.errors import InputError
from aipc.core.hashing import hash_file, hash_value
from aipc.core.types import Event, TensorSpec
from aipc.numerics.npz import write_npz
from aipc.quantize.plan import HELD_OUT_SHARE
from aipc.quantize.quantization_results import CalibrationSet

from .preprocessing import Arrays, Preprocessing
from .sources import RANDOM, CalibrationSource, open_source, raised


def prepare(
    report: Callable[[Event], None],
    *,
    ref: ModelRef,
    inputs: Sequence[TensorSpec],
    source: str,
    preprocess: str | None,
    count: int,
    held_out: int,
    seed: int,
    out: str,
) -> CalibrationSet:
    """Write ``count`` samples to ``out``/calibration and ``held_out`` others to ``out``/held-out.

    Raises:
        InputError: there is no data, it does not fit, holds NaN or infinity, is constant throughout, or the author's
            loader raised; the message says which sample.
    """
    seed_everything()
    directory = Path(out)
    with recorded_files() as files:
        opened = open_source(source, ref.root, inputs, seed)
        preprocessing = Preprocessing(preprocess, ref.root, inputs, images=opened.images)
        wanted, apart = _shares(opened, count, held_out)
        stream = _samples(opened, preprocessing, wanted + apart, seed)
        written = _write(report, stream, directory, wanted, apart, source)
    if not written:
        raise InputError(f"the calibration data {source} is empty", remedy="put samples into it or name another")
    calibration, rest = _divided(written, wanted, held_out)
    warnings = list(_look(calibration))
    if not rest:
        warnings.append("no sample could be held out: accuracy is judged on a sample that calibrated")
        rest = calibration[-1:]
    _arrange(directory, calibration, rest)
    digest = hash_value([hash_file(path) for path in sorted((directory / "calibration").glob("*.npz"))])
    return CalibrationSet(
        directory=str(directory),
        digest=digest,
        source=source,
        samples=len(calibration),
        held_out=len(rest),
        preprocessing=f"{opened.description}, {preprocessing.description}",
        seed=seed,
        random=source == RANDOM,
        warnings=tuple(warnings),
        files=files.hashes(),
    )


def _shares(source: CalibrationSource, count: int, held_out: int) -> tuple[int, int]:
    """How many samples calibrate and how many are held out of a source that may have too few for both."""
    if source.total is None or source.total >= count + held_out:
        return count, held_out
    apart = min(held_out, max(1, round(source.total * HELD_OUT_SHARE))) if source.total > 1 else 0
    return min(count, source.total - apart), apart


def _samples(source: CalibrationSource, preprocessing: Preprocessing, count: int, seed: int) -> Iterator[Arrays]:
    chosen = None
    if source.total is not None:
        chosen = list(range(source.total))
        random.Random(seed).shuffle(chosen)
    items = source.items(chosen)
    count_so_far = 0
    for number in range(1, 1_000_000):
        try:
            item = next(items)
        except StopIteration:
            return
        except Exception as error:
            raise raised(error, f"the calibration data, at its item {number},") from error
        for sample in preprocessing.samples(item, number):
            yield sample
            count_so_far += 1
            if count_so_far == count:
                return


def _write(
    report: Callable[[Event], None], stream: Iterator[Arrays], out: Path, wanted: int, apart: int, source: str
) -> list[Path]:
    """Every sample as ``out``/samples/0000.npz …"""
    folder = out / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for number, arrays in enumerate(stream):
        report(Event("calibrate", f"reading sample {number + 1} of {wanted + apart}", number / (wanted + apart)))
        _check(arrays, number + 1, source)
        path = folder / f"{number:04d}.npz"
        write_npz(path, arrays)
        paths.append(path)
    return paths


def _check(arrays: Arrays, number: int, source: str) -> None:
    for name, array in arrays.items():
        if not array.size:
            raise InputError(f"sample {number} of the calibration data {source} is empty", remedy="take it out")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            nan = int(np.isnan(array).sum())
            problem = f"{nan} NaN" if nan else f"{int(np.isinf(array).sum())} infinite values"
            raise InputError(
                f"sample {number} of the calibration data {source} holds {problem} in {name!r}",
                remedy="take it out or correct its preprocessing",
            )


def _divided(paths: list[Path], wanted: int, held_out: int) -> tuple[list[Path], list[Path]]:
    """A source without an end or a size may have given fewer than asked for: a part is held out all the same."""
    if len(paths) > wanted:
        return paths[:wanted], paths[wanted:]
    apart = min(held_out, max(1, round(len(paths) * HELD_OUT_SHARE))) if len(paths) > 1 else 0
    return paths[: len(paths) - apart], paths[len(paths) - apart :]


def _look(paths: Sequence[Path]) -> Iterator[str]:
    """What is odd about the samples, in words.

    Raises:
        InputError: every sample is constant: no range follows from that.
    """
    constant = saturated = 0
    distinct = set()
    for path in paths:
        with np.load(path) as data:
            arrays = [data[name] for name in data.files if data[name].dtype.kind == "f"]
        distinct.add(hash_file(path))
        constant += bool(arrays) and all(array.min() == array.max() for array in arrays)
        for array in arrays:
            ends = np.count_nonzero((array == array.min()) | (array == array.max()))
            if array.size >= 64 and ends > 0.5 * array.size and array.min() != array.max():
                saturated += 1
                break
    if constant == len(paths) and constant:
        raise InputError(
            "every sample of the calibration data is constant: no range follows from that",
            remedy="give data like that which the model will see",
        )
    if constant:
        yield f"{constant} of {len(paths)} calibration samples are constant"
    if saturated:
        yield f"{saturated} of {len(paths)} calibration samples are saturated: half of their values lie at an end"
    if len(distinct) < len(paths):
        yield f"{len(paths) - len(distinct)} of {len(paths)} calibration samples repeat another"
    if len(paths) < 8:
        yield f"only {len(paths)} calibration sample{'s' * (len(paths) != 1)}: ranges may not hold for other data"


def _arrange(directory: Path, calibration: Sequence[Path], held_out: Sequence[Path]) -> None:
    for name, paths in (("calibration", calibration), ("held-out", held_out)):
        folder = directory / name
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*"):
            old.unlink()
        for number, path in enumerate(paths):
            (folder / f"{number:04d}.npz").write_bytes(path.read_bytes())


def reference(report: Callable[[Event], None], *, ref: ModelRef, capture: str, samples: str) -> int:
    """PyTorch's fp32 outputs for every held-out sample, beside it as ``0000.reference.npz``; how many there are.

    A model that is an ONNX file is its own reference, run in fp32 on the CPU.
    """
    from aipc.numerics.cpu import run_cpu
    from aipc.numerics.npz import read_npz

    paths = sorted(path for path in Path(samples).glob("[0-9]*.npz") if ".reference" not in path.name)
    run: Callable[[Arrays], dict[str, Any]]
    if ref.runs_pytorch:
        run = _torch_runner(ref)
    else:
        graph = Path(capture) / "model.onnx"
        run = lambda arrays: run_cpu(graph, arrays)  # noqa: E731
    for number, path in enumerate(paths):
        report(Event("calibrate", f"running PyTorch on held-out sample {number + 1} of {len(paths)}"))
        write_npz(path.with_suffix(".reference.npz"), run(read_npz(path)))
    return len(paths)


def _torch_runner(ref: ModelRef) -> Callable[[Arrays], dict[str, Any]]:
    from aipc.capture.interface import runner
    from aipc.capture.model_with_inputs import open_model

    loaded, example = open_model(ref)
    return runner(loaded.module, example)
