"""Jobs on probes for the worker pool: the first runs the author's code, the others run graphs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

from aipc.capture.runner import TorchRunner
from aipc.core.config import ModelRef
from aipc.core.errors import AipcError, InputError, QairtError
from aipc.core.types import Event, OutputAccuracy, TensorSpec
from aipc.numerics.cpu import open_cpu, run_cpu, run_session
from aipc.numerics.fp16 import run_ideal_fp16, run_ieee_fp16
from aipc.numerics.metrics import compare_outputs
from aipc.numerics.npz import read_npz, write_npz
from aipc.numerics.stepper import Stepper, load

from .candidates import Candidate, candidates
from .examination import Divergence, Examined, LeftOut, PackageProbe, ProbeRun
from .roles import roles
from .samples import samples

Array = np.ndarray[Any, Any]
Run = Callable[[Mapping[str, Array]], dict[str, Array]]
Report = Callable[[Event], None]

SAMPLE = "sample"
_LEAST = 3
"""Input sets that are always tried, however long they take."""
_REASON_LENGTH = 200


def examine(
    report: Report,
    *,
    ref: ModelRef,
    capture: str,
    inputs: Sequence[TensorSpec],
    out: str,
    threshold_db: float,
    seconds: float,
    data: Sequence[tuple[str, int | None]],
    preprocess: str | None,
) -> Examined:
    """Run PyTorch and the captured graph in fp32 on the probes of a model; each probe's arrays are written to ``out``.

    Args:
        capture: the directory of the capture.
        threshold_db: a graph whose SQNR against PyTorch is below is examined further.
        seconds: limit for input sets that are made; the user's samples are all run.
        data: (folder, array file or ``file.py:name``, how many at most) of the user's samples.

    Raises:
        InputError: the user's samples cannot be read.
    """
    started = time.perf_counter()
    folder, target = Path(capture), Path(out)
    runner = None
    example: Mapping[str, Array] = read_npz(folder / "inputs.npz")
    try:
        run: Run
        if ref.kind in {"onnx", "captured"}:  # a live module stays in its process: its graph answers for it
            file = folder / "model.onnx"
            run = lambda arrays: run_cpu(file, arrays, optimize=False)  # noqa: E731
        else:
            runner = TorchRunner(ref)
            run = runner.run
    except InputError as error:
        reason = LeftOut(name="probes", title="every probe", kind="all", reason=error.what)
        return Examined(probes=(), left_out=(reason,), seconds=time.perf_counter() - started)
    session = open_cpu(folder / "model.onnx")
    own = [item for text, count in data for item in _own(text, count, ref, inputs, preprocess, example)]
    graph = ir.load(folder / "model.onnx")
    input_sets = candidates(roles(graph, example))
    probes: list[ProbeRun] = []
    left: list[LeftOut] = []
    calls: list[float] = []
    begun = time.perf_counter()
    for number, candidate in enumerate([*own, *input_sets]):
        late = candidate.kind != SAMPLE and number >= len(own) + _LEAST and time.perf_counter() - begun > seconds
        if late:
            left.append(_left(candidate, f"no time was left after {seconds:.3g} s; --thorough runs it"))
            continue
        report(Event("probes", candidate.title))
        called = time.perf_counter()
        try:
            with np.errstate(all="ignore"):
                answer = run(candidate.arrays)
        except Exception as error:
            left.append(_left(candidate, f"PyTorch raises {_message(error)}"))
            continue
        calls.append(time.perf_counter() - called)
        probes.append(_probe(candidate, answer, session, target))
    results = [_explained(item, runner, folder, target, threshold_db) for item in probes]
    return Examined(
        probes=tuple(results),
        left_out=tuple(left),
        seconds=time.perf_counter() - started,
        call_seconds=min(calls, default=0.0),
        producers=_producers(graph),
    )


def explain_example(report: Report, *, ref: ModelRef, capture: str, threshold_db: float) -> Divergence:
    """Where and why a captured graph leaves PyTorch on the example inputs.

    Raises:
        InputError: the model cannot be loaded with the same example again.
    """
    from .locate import explain

    report(Event("verify capture", "looking for the first value that differs"))
    folder = Path(capture)
    example, wanted = read_npz(folder / "inputs.npz"), read_npz(folder / "reference.npz")
    accuracy = compare_outputs(wanted, run_cpu(folder / "model.onnx", example))
    return explain(TorchRunner(ref), folder, example, accuracy, threshold_db)


def _own(
    text: str,
    count: int | None,
    ref: ModelRef,
    inputs: Sequence[TensorSpec],
    preprocess: str | None,
    example: Mapping[str, Array],
) -> Iterator[Candidate]:
    for number, (title, arrays) in enumerate(samples(text, ref, inputs, preprocess, count), 1):
        name = "".join(letter if letter.isalnum() else "-" for letter in Path(text.partition(":")[0]).stem)
        yield Candidate(
            name=f"sample-{name}-{number}",
            title=title,
            kind=SAMPLE,
            edge=False,
            inputs=(),
            arrays={key: arrays[key] for key in example},
        )


def _probe(candidate: Candidate, answer: Mapping[str, Array], session: Any, target: Path) -> ProbeRun:
    write_npz(target / f"{candidate.name}.npz", candidate.arrays)
    write_npz(target / f"{candidate.name}.reference.npz", answer)
    try:
        accuracy = compare_outputs(answer, run_session(session, candidate.arrays))
    except QairtError as error:
        # PyTorch has an answer and the graph stops: another shape, or an index that only PyTorch takes.
        reason = f"the captured graph does not run: {(error.detail or error.what).splitlines()[0][:_REASON_LENGTH]}"
        accuracy = tuple(OutputAccuracy(name, np.nan, -np.inf, np.inf, np.inf) for name in answer)
        candidate = replace(candidate, title=f"{candidate.title} ({reason})")
    return ProbeRun(
        name=candidate.name,
        title=candidate.title,
        kind=candidate.kind,
        edge=candidate.edge,
        outside=candidate.outside,
        inputs=candidate.inputs,
        finite=all(np.isfinite(value).any() or not value.size for value in answer.values() if value.dtype.kind == "f"),
        accuracy=accuracy,
    )


def _explained(
    probe: ProbeRun, runner: TorchRunner | None, capture: Path, target: Path, threshold_db: float
) -> ProbeRun:
    """The probe with where and why graph and PyTorch differ, if they do."""
    if runner is None or all(_equal(item, threshold_db) for item in probe.accuracy):
        return probe
    from .locate import explain

    # In double after one explanation: a model of its own for each.
    runner = TorchRunner(runner.ref)
    arrays = read_npz(target / f"{probe.name}.npz")
    return replace(probe, divergence=explain(runner, capture, arrays, probe.accuracy, threshold_db))


def _equal(item: OutputAccuracy, threshold_db: float) -> bool:
    return item.sqnr_db >= threshold_db and not item.nan and not item.inf


def _producers(model: ir.Model) -> dict[str, str]:
    """Graph output -> the node that computes it; copies are passed by."""
    producers = {}
    for output in model.graph.outputs:
        node = output.producer()
        while node is not None and node.op_type == "Identity":
            source = node.inputs[0]
            node = source.producer() if source is not None else None
        if node is not None:
            producers[output.name or ""] = node.name or ""
    return producers


def _left(candidate: Candidate, reason: str) -> LeftOut:
    return LeftOut(name=candidate.name, title=candidate.title, kind=candidate.kind, reason=reason)


def _message(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    message = (error.what if isinstance(error, AipcError) else lines[0] if lines else "no message")[:_REASON_LENGTH]
    return f"{type(error).__name__}: {message}"


def on_graph(
    report: Report, *, model: str, probes: Sequence[str], directory: str
) -> dict[str, tuple[OutputAccuracy, ...]]:
    """Probe -> distance of another graph of the model (a rewritten one) in fp32 on the CPU to PyTorch."""
    session = open_cpu(model)
    accuracies = {}
    for name in probes:
        report(Event("probes", f"running the rewritten graph on {name}"))
        arrays, wanted = _files(directory, name)
        accuracies[name] = compare_outputs(wanted, run_session(session, arrays))
    return accuracies


def on_package(
    report: Report,
    *,
    model: str,
    directory: str,
    outputs: Mapping[str, str],
    threshold_db: float,
    quantized: bool = False,
    usual: Sequence[str] = (),
) -> tuple[PackageProbe, ...]:
    """How far a package is from PyTorch on probes, and an ideal run in its precision where the package misses.

    Elements that are not finite in PyTorch are left out of the comparison: fp16 on the NPU has no infinity and no NaN.

    Args:
        model: the graph that the package was compiled from; empty where no ideal run is wanted.
        outputs: probe -> ``.npz`` of what the package gave.
        quantized: the ideal run is that of the quantized graph on the CPU; of a float graph, correctly rounded fp16.
        usual: ``.npz`` files of PyTorch's outputs on the samples that a quantized package is judged on.
    """
    references = [read_npz(Path(file)) for file in usual]
    stepper: Stepper | None = None
    results = []
    for name, file in outputs.items():
        arrays, wanted = _files(directory, name)
        actual = _finite_as(read_npz(Path(file)), wanted)
        accuracy = compare_outputs(wanted, actual)
        missed = not all(_equal(item, threshold_db) for item in accuracy)
        ideal: tuple[OutputAccuracy, ...] = ()
        ieee: tuple[OutputAccuracy, ...] = ()
        if model and missed:
            report(Event("probes", f"computing the ideal run on {name}"))
            if quantized:
                ideal = compare_outputs(wanted, _finite_as(run_cpu(model, arrays, optimize=False), wanted))
            else:
                stepper = stepper or Stepper(load(model))
                ideal = compare_outputs(wanted, _finite_as(run_ideal_fp16(stepper, arrays), wanted))
                if not all(_equal(item, threshold_db) for item in ideal):
                    ieee = compare_outputs(wanted, _finite_as(run_ieee_fp16(stepper, arrays), wanted))
                known = {item.name: item.sqnr_db for item in ideal}
                accuracy = tuple(replace(item, ideal_fp16_sqnr_db=known.get(item.name)) for item in accuracy)
        usual_db = _usual(references, wanted, actual) if missed else {}
        results.append(PackageProbe(name=name, accuracy=accuracy, ideal=ideal, ieee=ieee, usual_db=usual_db))
    return tuple(results)


def _usual(
    references: Sequence[Mapping[str, Array]], wanted: Mapping[str, Array], actual: Mapping[str, Array]
) -> dict[str, float]:
    """Output -> mean power on the references over that of the error here, in dB; other shapes are left out."""
    powers: dict[str, float] = {}
    for name, value in wanted.items():
        samples = [item[name].astype(np.float64) for item in references if name in item]
        if value.dtype.kind != "f" or not samples or name not in actual or actual[name].shape != value.shape:
            continue
        error = float(np.mean(np.square(value.astype(np.float64) - actual[name]), where=np.isfinite(value)))
        signal = float(np.mean([np.mean(np.square(item)) for item in samples]))
        if signal > 0 and np.isfinite(signal) and not np.isnan(error):
            powers[name] = 10 * float(np.log10(signal / error)) if error else np.inf
    return powers


def compare_finite(report: Report, *, reference_npz: str, actual_npz: str) -> tuple[OutputAccuracy, ...]:
    """Distance of every output to PyTorch's, where that is finite."""
    wanted = read_npz(reference_npz)
    return compare_outputs(wanted, _finite_as(read_npz(actual_npz), wanted))


def _files(directory: str, name: str) -> tuple[dict[str, Array], dict[str, Array]]:
    return read_npz(Path(directory) / f"{name}.npz"), read_npz(Path(directory) / f"{name}.reference.npz")


def _finite_as(actual: Mapping[str, Array], wanted: Mapping[str, Array]) -> dict[str, Array]:
    """``actual`` with PyTorch's own values where those are not finite."""
    same: dict[str, Array] = {}
    for name, value in actual.items():
        reference = wanted.get(name)
        if reference is None or reference.dtype.kind != "f" or reference.shape != value.shape:
            same[name] = value
        else:
            same[name] = np.where(np.isfinite(reference), value, reference)
    return same
