"""Seconds of a deployment with probes and without, in pairs by turns on a machine that does other things too."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from table import machine, update

from aipc import engine
from aipc.core.types import DeployReport
from aipc.core.workers import WorkerPool

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
PAGE = HERE.parent / "docs" / "probes.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="yolov8n", help="an example's name")
    parser.add_argument("--soc", default="sm8650")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--update", action="store_true", help="write the table into docs/probes.md")
    arguments = parser.parse_args()
    rows = []
    with WorkerPool() as pool, tempfile.TemporaryDirectory() as folder:
        # The first loads the libraries, which the others find loaded.
        _deploy(arguments.model, arguments.soc, "none", pool, Path(folder))
        for number in range(arguments.pairs):
            order: tuple[Literal["none", "few"], ...] = ("none", "few") if number % 2 == 0 else ("few", "none")
            pair = {probes: _deploy(arguments.model, arguments.soc, probes, pool, Path(folder)) for probes in order}
            rows.append((pair["none"], pair["few"]))
            print(rows[-1][0][0], rows[-1][1][0], file=sys.stderr, flush=True)
    ratios = [few[0] / none[0] for none, few in rows]
    lines = [
        "| pair | without probes, s | with probes, s | ratio | probes in fp32 | in the simulator |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {number} | {none[0]:.1f} | {few[0]:.1f} | {few[0] / none[0]:.2f} | {few[1]} | {few[2]} |"
            for number, (none, few) in enumerate(rows, 1)
        ),
        "",
        f"{arguments.model} in fp16 for {arguments.soc}, workers warm and no stage from the cache: the median ratio is "
        f"{statistics.median(ratios):.2f}. {machine()}",
    ]
    if arguments.update:
        update(PAGE, "\n".join(lines), "probe-time")
    else:
        print("\n".join(lines))
    return int(statistics.median(ratios) > 1.3)


def _deploy(
    model: str, soc: str, probes: Literal["none", "few"], pool: WorkerPool, folder: Path
) -> tuple[float, int, int]:
    """(seconds, probes that were judged in fp32, probes that ran in the simulator)."""
    request = engine.DeployRequest(
        model, soc=soc, precision="fp16", out=folder / probes, cwd=EXAMPLES, probes=probes, use_cache=False
    )
    started = time.perf_counter()
    report: DeployReport = engine.deploy(request, pool)
    seconds = time.perf_counter() - started
    if not report.ok:
        raise SystemExit(f"{model} was not deployed: {report.stages[-1]}")
    judged = [item for item in report.probes if item.graph_sqnr_db is not None]
    return seconds, len(judged), sum(item.package_sqnr_db is not None for item in judged)


if __name__ == "__main__":
    sys.exit(main())
