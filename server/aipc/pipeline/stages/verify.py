"""Hold the outputs of the package on its target against PyTorch in fp32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aipc.core.hashing import hash_file
from aipc.core.types import Gate, OutputAccuracy
from aipc.numerics import worker_jobs as numerics_jobs
from aipc.probes import worker_jobs as probe_jobs
from aipc.quantize import worker_jobs as quantize_jobs

from ..artifacts import (
    CalibrationData,
    CapturedGraph,
    ProbeAnswers,
    QuantizedGraph,
    RewrittenGraph,
    TargetExecution,
    Verification,
)
from ..build import Build
from ..gates import is_pytorchs_own, metric_gate, package_gate, sqnr_threshold
from ..probing import judged_probes, probes_gate
from ..run import Run
from ..stage import Stage

_USUAL = 8
"""Held-out samples that say how large an output usually is."""


def _verify(run: Run, out: Path) -> Verification:
    verification = _held_out(run) if run.calibrates else _example(run)
    return _with_probes(run, verification)


def _example(run: Run) -> Verification:
    outputs = run.job(
        numerics_jobs.COMPARE,
        reference_npz=str(run.captured.reference),
        actual_npz=str(run.artifacts[TargetExecution].outputs(0)),
        model=str(run.captured.graph),
        inputs=str(run.captured.inputs),
    )
    return Verification(outputs=outputs)


def _with_probes(run: Run, verification: Verification) -> Verification:
    """What the probes give on the rewritten graph in fp32, all of them, and on the package, those that were run."""
    probes, execution = run.artifacts[ProbeAnswers], run.artifacts[TargetExecution]
    if probes.examined is None:
        return verification
    directory = str(probes.directory)
    names = [item.name for item in probes.examined.probes]
    if run.rewritten is not None:
        on_graph = run.job(probe_jobs.ON_GRAPH, model=str(run.rewritten.graph), probes=names, directory=directory)
        verification = replace(verification, rewritten_probes=on_graph)
    outputs = {name: str(file) for name in names if (file := execution.probe_outputs(name)).is_file()}
    if outputs:
        on_package = run.job(
            probe_jobs.ON_PACKAGE,
            # A graph that takes integers does not run on the probes' own numbers.
            model="" if run.plan is not None and run.plan.quantized_io else str(run.deployed_graph.graph),
            directory=directory,
            outputs=outputs,
            threshold_db=run.request.tolerance.get("sqnr_db", sqnr_threshold(run.plan)),
            quantized=run.plan is not None,
            usual=[str(path) for path in run.references[:_USUAL]] if run.calibrates and run.plan is not None else [],
        )
        verification = replace(verification, package_probes=on_package)
    return verification


def _held_out(run: Run) -> Verification:
    """A quantized package is judged on samples that did not calibrate, all of them together."""
    files = {"references": [str(path) for path in run.references], "actuals": [str(path) for path in run.outputs]}
    outputs = run.job(numerics_jobs.COMPARE_SAMPLES, **files)
    if run.plan is None:
        outputs = _with_ideal(run, outputs)
    verification = Verification(outputs=outputs, slices=run.job(numerics_jobs.SLICES, **files))
    if metric := _metric(run):
        measured = run.job(quantize_jobs.MEASURE, metric=metric, root=str(run.request.ref.root), **files)
        verification = replace(verification, metric=measured)
    return verification


def _with_ideal(run: Run, outputs: tuple[OutputAccuracy, ...]) -> tuple[OutputAccuracy, ...]:
    """What a correctly rounded fp16 run has, on the first sample, for a candidate in fp16."""
    accuracy = run.job(
        numerics_jobs.COMPARE,
        reference_npz=str(run.references[0]),
        actual_npz=str(run.outputs[0]),
        model=str(run.captured.graph),
        inputs=str(run.held_out[0]),
    )
    ideal = {output.name: output.ideal_fp16_sqnr_db for output in accuracy}
    return tuple(replace(output, ideal_fp16_sqnr_db=ideal[output.name]) for output in outputs)


def _metric(build: Build) -> str | None:
    config = build.request.ref.config
    return config.metric if config else None


def _key(build: Build) -> object:
    metric = _metric(build) if build.calibrates else None
    file = build.request.ref.root / metric.rpartition(":")[0] if metric and ".py:" in metric else None
    return [
        build.artifacts[TargetExecution].key,
        metric,
        hash_file(file) if file and file.is_file() else None,
    ]


def _gate(build: Build, verification: Verification) -> Gate:
    tolerance = build.request.tolerance
    gate = package_gate(verification.outputs, tolerance, build.plan)
    if not gate.ok:
        cause = _likely_cause(build, verification.outputs, gate)
        return replace(gate, detail=f"{gate.detail} on {_judged_on(build)}: {cause}")
    if verification.metric:
        gate = metric_gate(verification.metric, tolerance) or gate
    if not gate.ok:
        return gate
    examined = build.artifacts[ProbeAnswers].examined
    probes = probes_gate(judged_probes(examined, verification, tolerance, build.plan), gate.threshold)
    return gate if probes.ok else probes


def _judged_on(build: Build) -> str:
    return f"{len(build.held_out)} held-out samples" if build.calibrates else "the example inputs"


def _likely_cause(build: Build, outputs: Sequence[OutputAccuracy], gate: Gate) -> str:
    """The kind of cause and the next step, in a clause."""
    if any(map(is_pytorchs_own, outputs)):
        return "the NPU has no NaN and no infinity; give example inputs whose outputs are numbers"
    if build.plan is not None:
        return "integers lose it; the findings name the expressions, --precision auto tries higher ones"
    ideals = [item.ideal_fp16_sqnr_db for item in outputs if item.ideal_fp16_sqnr_db is not None]
    if ideals and min(ideals) < gate.threshold:
        return "fp16 as such is too coarse; the findings name the expressions that need a smaller range"
    return "the NPU computes something else than correctly rounded fp16; the findings name the expressions"


def _note(build: Build, verification: Verification) -> str:
    if not build.calibrates:
        return ""
    note = f"on {len(build.held_out)} samples that did not calibrate"
    metric = verification.metric
    return f"{note}; {metric.name} {metric.value:.4g}" if metric else note


STAGE = Stage(
    name="verify",
    order=90,
    version=6,
    artifact=Verification,
    needs=(CapturedGraph, ProbeAnswers, RewrittenGraph, CalibrationData, QuantizedGraph, TargetExecution),
    key=_key,
    make=_verify,
    gate=_gate,
    note=_note,
)
