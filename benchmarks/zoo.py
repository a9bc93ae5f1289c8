"""Deploy the zoo (``zoo_models.py``) with ``aipc sweep``, and write its table: see README.md in this directory.

python benchmarks/zoo.py --directory DIR                     # begin, or go on where DIR was left
python benchmarks/zoo.py --directory DIR --kind speech,flow --retry
python benchmarks/zoo.py --directory DIR --table --update benchmarks/zoo.md
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from table import machine, update

HERE = Path(__file__).resolve().parent
CELL_SECONDS = 480
_STATES = {"pending": "not run yet"}
_HEAD = (
    "| model | kind | verified | SQNR dB (ideal fp16) | off the NPU | seconds | peak MB | remedies | what stops it |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="the project of the sweeps")
    parser.add_argument("--kind", help="only these kinds, separated by commas")
    parser.add_argument("--only", help="only these models, separated by commas")
    parser.add_argument("--soc", default="sm8650")
    parser.add_argument("--precision", default="fp16")
    parser.add_argument("--retry", action="store_true", help="do what was not verified again")
    parser.add_argument("--table", action="store_true", help="deploy nothing")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    from zoo_models import ENTRIES

    kinds = {name: entry.kind for name, entry in ENTRIES.items()}
    directory: Path = arguments.directory
    directory.mkdir(parents=True, exist_ok=True)
    write_project(directory, kinds)
    chosen = [
        name
        for name, kind in kinds.items()
        if (not arguments.kind or kind in arguments.kind.split(","))
        and (not arguments.only or name in arguments.only.split(","))
    ]
    place = directory / "sweeps" / f"{arguments.soc}-{arguments.precision}"
    status = 0
    if not arguments.table:
        status = run(directory, place, chosen, arguments)
    text = table(place, kinds)
    print(text)
    if arguments.update:
        update(arguments.update, text, f"zoo-{arguments.soc}-{arguments.precision}")
    return status


def write_project(directory: Path, kinds: dict[str, str]) -> None:
    """A project whose configuration names every model."""
    entry = HERE / "zoo_models.py"
    parts = ["[tool.aipc.sweep]", f"cell_seconds = {CELL_SECONDS}", "keep_packages = false"]
    for name in kinds:
        factory = name.replace("-", "_").replace(".", "_")
        parts += [
            f'[tool.aipc.models."{name}"]',
            f"entry = '{entry}:{factory}'",
            f"inputs = '{entry}:{factory}_inputs'",
        ]
        parts.append('calibration = "random"')
    (directory / "pyproject.toml").write_text("\n".join(parts) + "\n", "utf-8")


def run(directory: Path, place: Path, chosen: list[str], arguments: argparse.Namespace) -> int:
    """Begin the sweep of all models, or go on with it."""
    command = [sys.executable, "-m", "aipc", "sweep", "--output", str(place), "--json"]
    if (place / "sweep.json").exists():
        command += ["--resume", *chosen, *(["--retry"] if arguments.retry else [])]
    else:
        command += [*chosen, "--soc", arguments.soc, "--precision", arguments.precision]
    return subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL).returncode


def table(place: Path, kinds: dict[str, str]) -> str:
    """Markdown of the sweep's document: a sentence of sums, and a line for each model that was run."""
    cells = {cell["cell"]["model"]: cell for cell in json.loads((place / "result.json").read_text("utf-8"))["cells"]}
    results = [cells.get(name, {"state": "pending"}) for name in kinds]
    states = Counter(result["state"] for result in results)
    tried = len(results) - states["pending"]
    share = f"{states['verified'] / tried:.0%}" if tried else "none"
    sums = ", ".join(f"{count} {_STATES.get(state, state)}" for state, count in states.most_common())
    lines = [f"{len(kinds)} models: {sums}; {share} of the {tried} that were run.", ""]
    run_so_far = [(name, result) for name, result in zip(kinds, results, strict=True) if result["state"] != "pending"]
    lines += [*_HEAD, *(row(name, kinds[name], result) for name, result in run_so_far)]
    return "\n".join(lines) + f"\n\n{machine()}"


def row(name: str, kind: str, result: dict[str, Any]) -> str:
    """One model's line."""
    placed = result["placement"] or {}
    off = str(placed.get("cpu", 0) + placed.get("fails", 0)) if placed else ""
    remedies = ", ".join(item["name"] for item in result["remedies"] if item["helped"])
    message = " ".join(result["message"].split()).replace("|", "\\|").replace(str(HERE.parent), "")
    cells = [name, kind, "yes" if result["state"] == "verified" else result["state"], _sqnr(result), off]
    cells += [f"{result['seconds']:.0f}", _whole(result["peak_memory_mb"]), remedies, message[:240]]
    return f"| {' | '.join(cells)} |"


def _sqnr(result: dict[str, Any]) -> str:
    if result["sqnr_db"] is None:
        return ""
    return " ".join(
        f"({_db(value)})" if brackets else _db(value)
        for value, brackets in ((result["sqnr_db"], False), (result["ideal_fp16_sqnr_db"], True))
        if value is not None
    )


def _db(value: float | str) -> str:
    return "exact" if value == "inf" else str(value) if isinstance(value, str) else f"{value:.1f}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


if __name__ == "__main__":
    sys.exit(main())
