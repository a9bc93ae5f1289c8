"""Deploy models with probes and without, run the packages on other inputs, and put what comes of it into one table."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from table import machine, update

from aipc import engine
from aipc.capture.inputs import Inputs
from aipc.capture.interface import as_array, call, input_names
from aipc.core.errors import AipcError
from aipc.core.probes import ProbeStatus
from aipc.core.types import DeployReport
from aipc.core.workers import WorkerPool
from aipc.numerics.metrics import compare_outputs

HERE = Path(__file__).resolve().parent
HARD = HERE / "hard_models.py"
EXAMPLES = HERE.parent / "examples"
EXAMPLE_MODELS = (
    "yolov8n-320",
    "lprnet",
    "three-problems",
    "ocr-rec",
    "efficientnet-lite0",
    "esrgan-small",
    "vit-tiny",
)
PAGE = HERE.parent / "docs" / "probes.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model: what deploy says with probes and without, and the package's SQNR on other inputs, the worst in dB."""

    model: str
    without: str
    verdict: str
    probes: str
    others: str
    reason: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of models, separated by commas")
    parser.add_argument("--soc", default="sm8650")
    only = parser.parse_args().only
    soc = parser.parse_args().soc
    rows = []
    with WorkerPool() as pool, tempfile.TemporaryDirectory() as folder:
        for name, reference, where in _models():
            if only and name not in only.split(","):
                continue
            row = _row(name, reference, where, soc, pool, Path(folder))
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    lines = [
        f"{len(rows)} models in fp16 for {soc}, in one run. {machine()}",
        "",
        "*Others* is the worst SQNR of the package that probes let pass, on inputs beside the example that the script "
        "names and that no deployment saw.",
        "",
        "| model | without probes | with probes | probes | others | why |",
        "| --- | --- | --- | --- | --- | --- |",
        *(f"| {r.model} | {r.without} | {r.verdict} | {r.probes} | {r.others} | {r.reason} |" for r in rows),
    ]
    if not only:
        update(PAGE, "\n".join(lines), "probes")
    else:
        print("\n".join(lines))
    return 0


def _models() -> Iterator[tuple[str, str, Path]]:
    for name, kind in _hard().items():
        if hasattr(kind, "others"):
            yield name, f"{HARD.name}:{name}", HERE
    for name in EXAMPLE_MODELS:
        yield name, name, EXAMPLES


def _hard() -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("hard_models", HARD)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["hard_models"] = module
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if inspect.isclass(value)}


def _row(name: str, reference: str, where: Path, soc: str, pool: WorkerPool, folder: Path) -> Row:
    blind = _deploy(reference, where, soc, pool, folder / f"{name}-blind", "none")
    seen = _deploy(reference, where, soc, pool, folder / name, "few")
    if isinstance(seen, str):
        return Row(model=name, without=_verdict(blind), verdict=seen, probes="", others="", reason="")
    probes = "" if not seen.probes else _counts(seen)
    others = "not run"
    if seen.ok and where == HERE:
        others = f"{_others(name, Path(seen.package or ''), pool, folder):.1f} dB"
    elif seen.ok:
        others = "none named"
    failed = next((stage.gate.detail for stage in seen.stages if stage.gate and not stage.gate.ok), "")
    words = failed or "; ".join(
        f"{item.title}: {item.reason}" for item in seen.probes if item.status is ProbeStatus.LIMIT
    )
    return Row(
        model=name,
        without=_verdict(blind),
        verdict=_verdict(seen),
        probes=probes,
        others=others,
        reason=words[:240].replace("|", "\\|").replace("\n", " "),
    )


def _deploy(reference: str, where: Path, soc: str, pool: WorkerPool, out: Path, probes: Any) -> DeployReport | str:
    try:
        request = engine.DeployRequest(reference, soc=soc, precision="fp16", out=out, cwd=where, probes=probes)
        return engine.deploy(request, pool)
    except AipcError as error:
        return f"stopped: {error.what[:120]}"


def _verdict(report: DeployReport | str) -> str:
    if isinstance(report, str):
        return report
    if report.ok:
        worst = min((item.sqnr_db for item in (report.accuracy or {}).get("outputs", ())), default=0.0)
        return f"verified, {worst:.1f} dB"
    place = next((f"line {item.range.start.line}" for item in report.findings if item.range), "no line")
    return f"stopped by {report.stages[-1].name}, {place}"


def _counts(report: DeployReport) -> str:
    ran = sum(item.package_sqnr_db is not None for item in report.probes)
    parts = [f"{sum(item.status is status for item in report.probes)} {status.value}" for status in ProbeStatus]
    return ", ".join(part for part in parts if part[0] != "0") + f"; {ran} in the simulator"


def _others(name: str, package: Path, pool: WorkerPool, folder: Path) -> float:
    """The worst SQNR of any output on any of the model's other inputs, elements that are not finite left out."""
    module = _hard()[name]().eval()
    worst = np.inf
    for inputs in module.others():
        given = Inputs(inputs, {})
        with torch.no_grad():
            answer = {key: as_array(tensor) for key, tensor in call(module, given).tensors.items()}
        arrays = dict(zip(input_names(module, given), (as_array(item) for item in inputs), strict=True))
        np.savez(folder / "in.npz", **arrays)
        engine.run_package(package, folder / "in.npz", folder / "out.npz", pool=pool)
        with np.load(folder / "out.npz") as data:
            got = {key: np.where(np.isfinite(value), data[key], value) for key, value in answer.items()}
        worst = min(worst, *(item.sqnr_db for item in compare_outputs(answer, got)))
    return float(worst)


if __name__ == "__main__":
    sys.exit(main())
