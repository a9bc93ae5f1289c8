"""Hold the outputs of the package on its target against PyTorch in fp32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, OutputAccuracy
from aipc.numerics import worker_jobs as numerics_jobs
from aipc.probes import worker_jobs as probe_jobs
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.results import TaskMetric

from ..gates import is_pytorchs_own, metric_gate, package_gate, sqnr_threshold
from ..probing import examined_probes, probe_results, probes_gate
from ..stage import Run, Stage
from .run import outputs_of, probe_output


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    meta = _held_out(run) if run.calibrates else _example(run)
    return {**meta, "probes": _probes(run)}


def _example(run: Run) -> dict[str, Any]:
    outputs = run.job(
        numerics_jobs.COMPARE,
        reference_npz=str(run.path("capture", "reference.npz")),
        actual_npz=str(run.path("run", "outputs.npz")),
        model=str(run.path("capture", "model.onnx")),
        inputs=str(run.path("capture", "inputs.npz")),
    )
    return {"outputs": to_plain(outputs)}


def _probes(run: Run) -> dict[str, Any]:
    """What the probes give on the rewritten graph in fp32, all of them, and on the package, those that were run."""
    examined = examined_probes(run)
    if examined is None:
        return {}
    directory = str(run.entries["probes"].path)
    found: dict[str, Any] = {}
    names = [item.name for item in examined.probes]
    if run.float_graph != run.path("capture", "model.onnx"):
        found["rewritten"] = to_plain(
            run.job(probe_jobs.ON_GRAPH, model=str(run.float_graph), probes=names, directory=directory)
        )
    outputs = {name: str(file) for name in names if (file := run.path("run", probe_output(name))).is_file()}
    if outputs:
        found["package"] = to_plain(
            run.job(
                probe_jobs.ON_PACKAGE,
                # A graph that takes integers does not run on the probes' own numbers.
                model="" if run.plan is not None and run.plan.quantized_io else str(run.graph),
                directory=directory,
                outputs=outputs,
                threshold_db=run.request.tolerance.get("sqnr_db", sqnr_threshold(run.plan)),
                quantized=run.plan is not None,
            )
        )
    return found


def _held_out(run: Run) -> dict[str, Any]:
    """A quantized package is judged on samples that did not calibrate, all of them together."""
    files = {
        "references": [str(path) for path in run.references],
        "actuals": [str(path) for path in outputs_of(run)],
    }
    outputs: tuple[OutputAccuracy, ...] = run.job(numerics_jobs.COMPARE_SAMPLES, **files)
    if run.plan is None:
        outputs = _with_ideal(run, outputs)
    meta: dict[str, Any] = {
        "outputs": to_plain(outputs),
        "slices": to_plain(run.job(numerics_jobs.SLICES, **files)),
    }
    if metric := _metric(run):
        found = run.job(quantize_jobs.MEASURE, metric=metric, root=str(run.request.ref.root), **files)
        meta["metric"] = to_plain(found)
    return meta


def _with_ideal(run: Run, outputs: tuple[OutputAccuracy, ...]) -> tuple[OutputAccuracy, ...]:
    """What a correctly rounded fp16 run has, on the first sample, for a candidate in fp16."""
    found: tuple[OutputAccuracy, ...] = run.job(
        numerics_jobs.COMPARE,
        reference_npz=str(run.references[0]),
        actual_npz=str(outputs_of(run)[0]),
        model=str(run.path("capture", "model.onnx")),
        inputs=str(run.held_out[0]),
    )
    ideal = {output.name: output.ideal_fp16_sqnr_db for output in found}
    return tuple(replace(output, ideal_fp16_sqnr_db=ideal[output.name]) for output in outputs)


def _metric(run: Run) -> str | None:
    config = run.request.ref.config
    return config.metric if config else None


def _key(run: Run) -> Any:
    metric = _metric(run) if run.calibrates else None
    file = run.request.ref.root / metric.rpartition(":")[0] if metric and ".py:" in metric else None
    return [run.keys["run"], metric, hash_file(file) if file and file.is_file() else None]


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    outputs = from_plain(meta["outputs"], tuple[OutputAccuracy, ...])
    gate = package_gate(outputs, run.request.tolerance, run.plan)
    if not gate.ok:
        return replace(gate, detail=f"{gate.detail} on {_judged_on(run)}: {_likely_cause(run, outputs, gate)}")
    if gate.ok and meta.get("metric"):
        gate = metric_gate(from_plain(meta["metric"], TaskMetric), run.request.tolerance) or gate
    if gate.ok:
        probes = probes_gate(probe_results(run), gate.threshold)
        return gate if probes.ok else probes
    return gate


def _judged_on(run: Run) -> str:
    return f"{len(run.held_out)} held-out samples" if run.calibrates else "the example inputs"


def _likely_cause(run: Run, outputs: Sequence[OutputAccuracy], gate: Gate) -> str:
    """The kind of cause and the next step, in a clause."""
    if any(map(is_pytorchs_own, outputs)):
        return "the NPU has no NaN and no infinity; give example inputs whose outputs are numbers"
    if run.plan is not None:
        return "integers lose it; the findings name the expressions, --precision auto tries higher ones"
    ideals = [item.ideal_fp16_sqnr_db for item in outputs if item.ideal_fp16_sqnr_db is not None]
    if ideals and min(ideals) < gate.threshold:
        return "fp16 as such is too coarse; the findings name the expressions that need a smaller range"
    return "the NPU computes something else than correctly rounded fp16; the findings name the expressions"


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    if not run.calibrates:
        return ""
    words = f"on {len(run.held_out)} samples that did not calibrate"
    metric = meta.get("metric")
    return f"{words}; {metric['name']} {metric['value']:.4g}" if metric else words


STAGE = Stage(name="verify", order=90, version=4, key=_key, build=_build, gate=_gate, note=_note)
