"""The failure capsule: what somebody else needs to see a failure again, with one command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from aipc.core import plain_data
from aipc.core.cache import storage_errors
from aipc.core.errors import QairtError
from aipc.core.types import Finding, Placement, StageRecord
from aipc.core.wording import counted
from aipc.debug import worker_jobs as debug_jobs

from .artifacts import CapturedGraph, GraphPlacement, QuantizedGraph
from .probing import failed_on_package
from .run import Run
from .versions import environment

_README = """# Failure capsule: {model}

The stage **{stage}** did not pass: {gate}

Run it again with

    {command}

`model.onnx` is {what}; `inputs.npz` holds its inputs, `findings.json` what was found, `environment.json` the versions
and `logs/` the native logs.
"""

_CONFIGURATION = """[tool.aipc.models.capsule]
entry = "model.onnx"
inputs = "inputs.npz"
soc = "{soc}"
"""


def write_capsule(run: Run, record: StageRecord, findings: Sequence[Finding], gate: str) -> Path | None:
    """Write the capsule of a failed run below the run's directory; None when there is no graph to put into it."""
    capture = run.artifacts.get(CapturedGraph)
    if capture is None or not capture.has_graph:
        return None
    out = run.directory / "capsule"
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        command = f"aipc check model.onnx --soc {run.request.soc}"
        nodes = record.gate.nodes if record.gate else ()
        nodes = nodes or tuple(node for finding in findings for node in finding.nodes)
        what = "the whole captured graph"
        probe = failed_on_package(run)
        inputs = probe[1] if probe else capture.inputs
        if record.name == "verify" and run.plan is not None:
            options = f"--soc {run.request.soc} --precision {precision_of_failure(run)} --calibration inputs.npz"
            command = f"aipc deploy model.onnx {options}"
        if record.name == "verify" and run.plan is None:
            # Numbers go wrong only together with their neighbours: the smallest part that still does is searched for.
            command = "aipc deploy capsule"
            # The search knows what fp16 may lose, not what integers may.
            what = (_reduce(run, inputs, out, nodes) if run.plan is None else None) or what
            (out / "pyproject.toml").write_text(_CONFIGURATION.format(soc=run.request.soc), "utf-8")
        elif refused := _refused_in_integers(run):
            # In float the same nodes run: what is refused is their form in integers, with its scales.
            cut = _cut(run, run.artifacts[QuantizedGraph].graph, refused, out)
            what = f"the {len(refused)} nodes that QAIRT refuses, with their scales" if cut else what
            command = f"aipc deploy model.onnx --soc {run.request.soc}"
        elif nodes:
            cut = _cut(run, capture.graph, nodes, out)
            what = f"the {cut} nodes that are to blame" if cut else what
        if not (out / "model.onnx").is_file():
            for name in ("model.onnx", "model.data"):
                if (capture.directory / name).is_file():
                    shutil.copyfile(capture.directory / name, out / name)
            shutil.copyfile(inputs, out / "inputs.npz")
        if (run.directory / "logs").is_dir():
            shutil.copytree(run.directory / "logs", out / "logs", dirs_exist_ok=True)
        placed = run.artifacts.get(QuantizedGraph if _refused_in_integers(run) else GraphPlacement)
        if placed and (placed.directory / "qnn.log").is_file():
            (out / "logs").mkdir(exist_ok=True)
            shutil.copyfile(placed.directory / "qnn.log", out / "logs" / "qnn.log")
        (out / "findings.json").write_text(plain_data.dumps(list(findings)), "utf-8")
        (out / "environment.json").write_text(json.dumps(environment(), indent=2), "utf-8")
        text = _README.format(model=run.request.ref.name, stage=record.name, gate=gate, command=command, what=what)
        (out / "README.md").write_text(text, "utf-8")
    return out


def _refused_in_integers(run: Run) -> tuple[str, ...]:
    """The nodes of the quantized graph that QAIRT does not take; none where nothing was quantized."""
    quantized = run.artifacts.get(QuantizedGraph)
    if quantized is None or quantized.placement is None:
        return ()
    return tuple(node.node for node in quantized.placement.nodes if node.placement is not Placement.NPU)


def _cut(run: Run, model: Path, nodes: Sequence[str], out: Path) -> int:
    """Write a part of a graph with its inputs; how many nodes it has, 0 where it cannot be run alone."""
    inputs = str(run.captured.inputs)
    return run.job(debug_jobs.EXTRACT, model=str(model), inputs=inputs, nodes=list(nodes), out=str(out))


def precision_of_failure(run: Run) -> str:
    """The precision that shows the error again: of a mixture, the one that its worst nodes were kept out of."""
    assert run.plan
    return f"w{run.plan.weight_bits}a{run.plan.activation_bits}"


def _reduce(run: Run, inputs: Path, out: Path, nodes: Sequence[str]) -> str | None:
    """Write the smallest part whose numbers are wrong; None when no part fails by the measure of the search."""
    try:
        reduced = run.job(
            debug_jobs.REDUCE,
            model=str(run.deployed_graph.graph),
            inputs_npz=str(inputs),
            soc=run.request.soc,
            out=str(out),
            failure="numbers",
            start=list(nodes),
            seconds=90.0,
        )
    except QairtError:
        # The gate also looks at what the search does not (NaN, the author's own tolerance): the whole graph shows it.
        return None
    shutil.move(reduced.model, out / "model.onnx")
    shutil.move(reduced.inputs_npz, out / "inputs.npz")
    return f"the smallest part that still fails, {len(reduced.nodes)} of {counted(reduced.original_nodes, 'node')}"
