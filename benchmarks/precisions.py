"""Deploy the examples in integers and put what comes of it into one table: see README.md."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from table import machine, update

from aipc.core.config import load_config, resolve_model
from aipc.core.workers import WorkerPool

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MODELS = ("yolov3-tiny", "ocr-det", "ocr-rec", "efficientnet-lite0", "yolov8n-320", "vit-tiny", "lprnet")
SOCS = ("sm8650", "qcs6490")
PRECISIONS = ("w8a16", "w8a8")
WORST = 3
"""Layers that are named where a gate was not passed."""


@dataclass(frozen=True)
class Deployed:
    """One deployment. ``words``: why it did not pass, in the gate's own words; or as what else it did."""

    model: str
    soc: str
    precision: str
    ok: bool
    sqnr_db: float | None
    metric: str
    megabytes: float | None
    traffic: str
    integers: str
    seconds: float
    words: str = ""


@dataclass(frozen=True)
class Data:
    """What every quantizer gets, and what it is judged on."""

    graph: str
    calibration: str
    statistics: str
    held_out: tuple[Path, ...]
    references: tuple[Path, ...]
    statistics_seconds: float
    """What it took to run the samples and make ``statistics``; the others run them while they quantize."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of models, separated by commas")
    parser.add_argument("--socs", default=",".join(SOCS))
    parser.add_argument("--precisions", default=",".join(PRECISIONS))
    parser.add_argument("--keep", type=Path, help="a JSON file of what was measured: nothing in it is measured again")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    known = json.loads(arguments.keep.read_text("utf-8")) if arguments.keep and arguments.keep.is_file() else []
    rows = [Deployed(**item) for item in known]
    done = {(row.model, row.soc, row.precision) for row in rows}
    for model in arguments.only.split(",") if arguments.only else MODELS:
        for soc in arguments.socs.split(","):
            for precision in arguments.precisions.split(","):
                if (model, soc, precision) in done:
                    continue
                rows.append(deployed(model, soc, precision))
                print(rows[-1], file=sys.stderr)
                if arguments.keep:
                    arguments.keep.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    text = f"{markdown(rows)}\n\n{machine()}"
    print(text)
    if arguments.update:
        update(arguments.update, text, "precisions")
    return 0


def deployed(model: str, soc: str, precision: str) -> Deployed:
    command = [sys.executable, "-m", "aipc", "deploy", model, "--soc", soc, "--precision", precision, "--json"]
    finished = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True)
    try:
        report = json.loads(finished.stdout)
    except ValueError:
        report = {"error": {"message": finished.stderr.strip().splitlines()[-1]}}
    if "error" in report:
        words = report["error"]["message"]
        return Deployed(model, soc, precision, False, None, "", None, "", "", 0.0, words[:200])
    return of_report(model, soc, precision, report)


def of_report(model: str, soc: str, precision: str, report: dict) -> Deployed:
    stages = {stage["name"]: stage for stage in report["stages"]}
    outputs = (report["accuracy"] or {}).get("outputs", ())
    failed = next((stage for stage in report["stages"] if stage["gate"] and not stage["gate"]["ok"]), None)
    chosen = (report.get("frontier") or {}).get("chosen")
    words = f"as {chosen}" if report["ok"] and chosen and chosen != precision else ""
    if failed:
        gate = failed["gate"]
        value = gate["value"] if isinstance(gate["value"], str) else f"{gate['value']:.1f}"
        words = f"{failed['name']}: {gate['metric']} {value}, wanted {gate['threshold']:.1f} ({gate['detail'][:120]})"
        words += f"; {blamed}" if (blamed := worst_layers(report)) else ""
    verify, compiled = stages.get("verify", {}).get("note", ""), stages.get("compile", {}).get("note", "")
    size = compiled.partition(" MB")[0]
    return Deployed(
        model=model,
        soc=soc,
        precision=precision,
        ok=report["ok"],
        sqnr_db=round(min(float(item["sqnr_db"]) for item in outputs), 1) if outputs else None,
        metric=verify.partition("; ")[2],
        megabytes=float(size) if size else None,
        traffic=compiled.partition("plans to read ")[2].replace(" of DDR for one inference", ""),
        integers=stages.get("quantize", {}).get("note", "").partition(":")[2].partition(";")[0].strip(),
        seconds=round(report["timings"]["total"], 1),
        words=words,
    )


def worst_layers(report: dict) -> str:
    """The layers that introduce most of the error, with their shares and, where they have one, their lines."""
    nodes = (report.get("node_accuracy") or {}).get("nodes", {})
    groups = {tuple(item["group"]) or (name,): (name, item) for name, item in nodes.items()}
    ranked = sorted(groups.values(), key=lambda pair: -pair[1]["share"])[:WORST]
    told = []
    for name, item in ranked:
        place = f"{Path(item['file']).name}:{item['line']}" if item.get("file") else name
        told.append(f"{item['op_type'] or 'node'} at {place} {100 * item['share']:.0f} %")
    return f"most of the error: {', '.join(told)}" if told else ""


def prepared(pool: WorkerPool, model: str, soc: str, work: Path) -> Data:
    """The float graph that deploy quantizes, its samples, our statistics of them, and what is held out."""
    from aipc.engine._run import calibrated, new_run
    from aipc.pipeline.artifacts import CalibrationData, CaptureVerification
    from aipc.pipeline.driver import run_stages
    from aipc.pipeline.journal import Journal
    from aipc.pipeline.request import Request
    from aipc.pipeline.stages.calibrate import read_samples

    ref = resolve_model(model, EXAMPLES, load_config(EXAMPLES))
    request = calibrated(Request(ref, soc, "w8a16", finalize=False), None, None)
    run = new_run(request, pool, None, None, work / "run", True)
    (work / "run").mkdir()
    run, _ = run_stages(run, Journal(work / "run"), (CaptureVerification, CalibrationData))
    read_samples(run, work / "data")
    calibration = run.artifacts[CalibrationData]
    assert calibration.statistics is not None
    statistics = str(calibration.statistics_directory)
    seconds = calibration.statistics.seconds
    samples = str(work / "data" / "calibration")
    return Data(str(run.float_graph.graph), samples, statistics, run.held_out, run.references, seconds)


def markdown(rows: Sequence[Deployed]) -> str:
    lines = [
        "| model | SoC | precision | gate | SQNR dB | task metric | MB | DDR planned | in integers | seconds |",
        "| --- | --- | --- | --- | ---: | --- | ---: | --- | --- | ---: |",
    ]
    for row in rows:
        cells = [
            row.model,
            row.soc,
            row.precision,
            f"passed {row.words}".strip() if row.ok else f"not passed: {row.words}".replace("|", "/"),
            "" if row.sqnr_db is None else f"{row.sqnr_db:.1f}",
            row.metric,
            "" if row.megabytes is None else f"{row.megabytes:.1f}",
            row.traffic,
            row.integers,
            f"{row.seconds:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
