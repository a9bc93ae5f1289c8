"""Deploy the models of ``case_models/`` for the chips and precisions that they name; run the packages on other inputs.

``--update`` writes the table into docs/cases.md; ``--keep FILE`` goes on where an earlier call was. The exit status is
1 where a package passes and is wrong on another input, or a stop names neither a line nor a way out.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
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
MODELS = HERE / "case_models"
PAGE = HERE.parent / "docs" / "cases.md"
FLOOR_DB = {"fp16": 30.0}
"""What a package that passed must have on ordinary inputs that no deployment saw: 10 dB less than on its example."""
QUANTIZED_FLOOR_DB = 15.0
SENTENCE_LENGTH = 300

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One deployment: what deploy says, the package's SQNR in dB on the example and on other inputs, where it stops.

    ``differing``: of the outputs that are no floats, the largest share of elements that differ, and the largest
    difference. ``stop``: its line and sentence, or what the package says of its limits. ``wrong``: what must not be
    silent.
    """

    case: str
    about: str
    precision: str
    soc: str
    verdict: str
    example_db: float | None
    others_db: tuple[float, ...]
    differing: tuple[float, float]
    stop: str
    wrong: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of cases, separated by commas")
    parser.add_argument("--models", type=Path, default=MODELS, help="the folder of the cases")
    parser.add_argument("--keep", type=Path, help="a file of rows that are measured already; new ones are added")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    only = arguments.only.split(",") if arguments.only else None
    rows = _kept(arguments.keep)
    with WorkerPool() as pool, tempfile.TemporaryDirectory() as folder:
        files = sorted(file for file in arguments.models.glob("*.py") if not file.stem.startswith("_"))
        names = [file.stem for file in files]
        _write_configuration(Path(folder), files)
        modules = {file.stem: load_case(file) for file in files if not only or file.stem in only}
        runs = [(name, *run) for name, module in modules.items() for run in module.RUNS]
        for name, precision, soc in sorted(runs, key=lambda run: run[1] != "fp16"):
            if (name, precision, soc) in {(row.case, row.precision, row.soc) for row in rows}:
                continue
            row = _row(name, modules[name], precision, soc, pool, Path(folder))
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
            if arguments.keep:
                arguments.keep.write_text(json.dumps([asdict(item) for item in rows], indent=1), encoding="utf-8")
    rows.sort(key=lambda row: names.index(row.case) if row.case in names else -1)
    text = _markdown(rows)
    if arguments.update:
        update(PAGE, text, "cases")
    else:
        print(text)
    return int(any(row.wrong for row in rows))


def load_case(file: Path) -> ModuleType:
    """The module of a case.

    It has ``Model`` or ``build()``, ``others()`` and ``RUNS``; where they are not inferred ``example()``, for integers
    ``calibration()``, and ``OPTIONS`` of its table in the configuration.
    """
    spec = importlib.util.spec_from_file_location(f"case_{file.stem}", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _entry(module: ModuleType) -> Any:
    return getattr(module, "build", None) or module.Model


def _kept(file: Path | None) -> list[Row]:
    if file is None or not file.is_file():
        return []
    plain = json.loads(file.read_text(encoding="utf-8"))
    return [
        Row(**{**item, "others_db": tuple(item["others_db"]), "differing": tuple(item["differing"])}) for item in plain
    ]


def _write_configuration(folder: Path, files: Sequence[Path]) -> None:
    parts = ["[tool.aipc]\n"]
    for file in files:
        module = load_case(file)
        lines = [f"[tool.aipc.models.{file.stem}]", f"entry = '{file}:{_entry(module).__name__}'"]
        lines += [
            f"{key} = '{file}:{name}'"
            for key, name in (("inputs", "example"), ("calibration", "calibration"))
            if hasattr(module, name)
        ]
        lines += [f"{key} = {json.dumps(value)}" for key, value in getattr(module, "OPTIONS", {}).items()]
        parts.append("\n".join(lines) + "\n")
    (folder / "pyproject.toml").write_text("\n".join(parts), encoding="utf-8")


def _row(name: str, module: ModuleType, precision: str, soc: str, pool: WorkerPool, folder: Path) -> Row:
    out = folder / f"{name}-{precision}-{soc}"
    base = {"case": name, "about": _about(module), "precision": precision, "soc": soc}
    try:
        request = engine.DeployRequest(name, soc=soc, precision=precision, out=out, cwd=folder)
        report = engine.deploy(request, pool)
    except AipcError as error:
        silent = "" if error.remedy else "the stop names no way out"
        return Row(
            **base,
            verdict="stopped",
            example_db=None,
            others_db=(),
            differing=(0.0, 0.0),
            stop=_sentence(f"{_line(error.range)}{error.what}. {error.remedy or ''}"),
            wrong=silent,
        )
    worst = min((item.sqnr_db for item in (report.accuracy or {}).get("outputs", ())), default=None)
    if not report.ok:
        stop, silent = _stop(report)
        stage = report.stages[-1].name
        return Row(
            **base,
            verdict=f"stopped by {stage}",
            example_db=worst,
            others_db=(),
            differing=(0.0, 0.0),
            stop=stop,
            wrong=silent,
        )
    found, differing, faults = _on_others(module, Path(report.package or ""), pool, folder)
    floor = FLOOR_DB.get(precision, QUANTIZED_FLOOR_DB)
    wrong = "; ".join([*faults, *(f"{value:.1f} dB on other inputs" for value in found if not value >= floor)])
    return Row(
        **base,
        verdict="verified",
        example_db=worst,
        others_db=found,
        differing=differing,
        stop=_limits(report),
        wrong=wrong,
    )


def _about(module: ModuleType) -> str:
    return " ".join((inspect.getdoc(module) or "").split())


def _stop(report: DeployReport) -> tuple[str, str]:
    """The line and the sentence at which a deployment stops, and what is missing of them."""
    gate = next((stage.gate for stage in reversed(report.stages) if stage.gate and not stage.gate.ok), None)
    errors = [item for item in report.findings if item.severity.value in {"error", "warning"}]
    place = next((item for item in errors if item.range), None)
    first = place or next(iter(errors), None)
    text = first.message if first else gate.detail if gate else ""
    silent = "" if place else "the stop names no line"
    return _sentence(f"{_line(place.range) if place else ''}{text}"), silent


def _line(place: Any) -> str:
    return f"line {place.start.line}: " if place else ""


def _limits(report: DeployReport) -> str:
    """What the package says of inputs that it is not held to."""
    found = [item.title for item in report.probes if item.status is ProbeStatus.LIMIT]
    return f"information on {len(found)} probes: {found[0]}" + (" …" if len(found) > 1 else "") if found else ""


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SENTENCE_LENGTH else text[:SENTENCE_LENGTH] + " …"


def _on_others(
    module: ModuleType, package: Path, pool: WorkerPool, folder: Path
) -> tuple[tuple[float, ...], tuple[float, float], tuple[str, ...]]:
    """(the worst float output's SQNR of each other input in dB, how far integers differ, faults).

    Elements that are not finite in PyTorch are left out: the NPU has no infinity and no NaN.
    """
    model = _entry(module)()
    found: list[float] = []
    differing = (0.0, 0.0)
    faults: list[str] = []
    for inputs in module.others():
        given = Inputs((), dict(inputs)) if isinstance(inputs, Mapping) else Inputs(tuple(inputs), {})
        states = {key.replace(".", "_"): as_array(buffer.clone()) for key, buffer in model.named_buffers()}
        with torch.no_grad():
            wanted = {key: as_array(tensor) for key, tensor in call(model, given).tensors.items()}
        names = input_names(model, given)
        manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
        known = {item["name"] for item in manifest["inputs"]}
        arrays = {key: as_array(value) for key, value in zip(names, (*given.args, *given.kwargs.values()), strict=True)}
        # Where buffers are inputs of the package, it gets those that PyTorch had before the call.
        arrays = states | arrays
        np.savez(folder / "in.npz", **{key: value for key, value in arrays.items() if key in known})
        engine.run_package(package, folder / "in.npz", folder / "out.npz", pool=pool)
        with np.load(folder / "out.npz") as data:
            got = {key: data[key] for key in data.files}
        missing = [key for key in wanted if key not in got]
        if missing:
            faults.append(f"output {missing[0]} is not in the package")
        figures, shares = _figures({key: value for key, value in wanted.items() if key in got}, got)
        found.append(figures)
        differing = (max(differing[0], shares[0]), max(differing[1], shares[1]))
    return tuple(found), differing, tuple(faults)


def _figures(wanted: Mapping[str, Array], got: Mapping[str, Array]) -> tuple[float, tuple[float, float]]:
    finite = {
        key: np.where(np.isfinite(value), got[key], value) if value.dtype.kind == "f" else got[key]
        for key, value in wanted.items()
    }
    floats = [item.sqnr_db for item in compare_outputs(wanted, finite) if wanted[item.name].dtype.kind == "f"]
    integers = [np.abs(got[key].astype(np.int64) - value) for key, value in wanted.items() if value.dtype.kind != "f"]
    share = max((float(np.mean(item != 0)) for item in integers), default=0.0)
    largest = max((float(item.max(initial=0)) for item in integers), default=0.0)
    return min(floats, default=math.inf), (share, largest)


def _markdown(rows: Sequence[Row]) -> str:
    stopped = sum(row.verdict != "verified" for row in rows)
    wrong = sum(bool(row.wrong) for row in rows)
    lines = [
        f"{len({row.case for row in rows})} models, {len(rows)} deployments: {len(rows) - stopped} verified, "
        f"{stopped} stopped, {wrong} silently wrong or stopped without a line. {machine()}",
        "",
        "| model | what it is | precision, SoC | deploy says | example, dB | others, dB | integers that differ "
        "| where it stops, or what it says |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        example = "" if row.example_db is None else f"{row.example_db:.1f}"
        others = ", ".join(f"{value:.1f}" for value in row.others_db)
        share = f"{100 * row.differing[0]:.2g} %, by {row.differing[1]:.0f}" if row.differing[0] else ""
        text = "; ".join(item for item in (f"**{row.wrong}**" if row.wrong else "", row.stop) if item)
        cells = [row.case, row.about, f"{row.precision} {row.soc}", row.verdict, example, others, share, text]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
