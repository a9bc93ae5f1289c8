"""Our quantizer beside plain onnxruntime with its QNN configuration and beside aimet-onnx: see README.md.

Every one of them gets the same float graph, the same calibration samples and the same bits; what it makes is compiled
and run in the HTP simulator on the same held-out samples and held against PyTorch in fp32.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from precisions import EXAMPLES, MODELS, prepared
from quantizer_methods import METHODS, OURS
from table import machine, update

from aipc.core.types import OutputAccuracy
from aipc.core.workers import WorkerPool
from aipc.numerics import worker_jobs as numerics_jobs
from aipc.qairt import worker_jobs as qairt_jobs

SECONDS = 1200.0


@dataclass(frozen=True)
class Made:
    """``sqnr_db`` of the worst output; None where there is no package, and ``words`` says why."""

    model: str
    soc: str
    precision: str
    method: str
    sqnr_db: float | None
    cpu_nodes: int
    megabytes: float | None
    seconds: float
    words: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of models, separated by commas")
    parser.add_argument("--soc", default="sm8650")
    parser.add_argument("--precisions", default="w8a16,w8a8")
    parser.add_argument("--keep", type=Path, help="a JSON file of what was measured: nothing in it is measured again")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    known = json.loads(arguments.keep.read_text("utf-8")) if arguments.keep and arguments.keep.is_file() else []
    rows = [Made(**item) for item in known]
    with WorkerPool() as pool:
        for model in arguments.only.split(",") if arguments.only else MODELS:
            for made in compared(pool, model, arguments.soc, arguments.precisions.split(","), rows):
                rows.append(made)
                print(made, file=sys.stderr)
                if arguments.keep:
                    arguments.keep.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    text = f"{markdown(rows)}\n\n{machine()}"
    print(text)
    if arguments.update:
        update(arguments.update, text, "quantizers")
    return 0


def compared(pool: WorkerPool, model: str, soc: str, precisions: Sequence[str], rows: Sequence[Made]) -> Iterator[Made]:
    done = {(row.model, row.soc, row.precision, row.method) for row in rows}
    wanted = [
        (precision, method)
        for precision in precisions
        for method in METHODS
        if (model, soc, precision, method) not in done
    ]
    if not wanted:
        return
    with tempfile.TemporaryDirectory(prefix="aipc-bench-") as folder:
        work = Path(folder)
        data = prepared(pool, model, soc, work)
        for precision, method in wanted:
            yield one(pool, data, model, soc, precision, method, work / f"{method}-{precision}")


def one(pool: WorkerPool, data: Any, model: str, soc: str, precision: str, method: str, out: Path) -> Made:
    """One quantized graph, made in a process of its own, compiled and judged."""
    out.mkdir()
    started = time.perf_counter()
    words = isolated(method, data.graph, data.calibration, data.statistics, precision, soc, out)
    seconds = time.perf_counter() - started + (data.statistics_seconds if method == OURS else 0.0)
    seconds = round(seconds, 1)
    if words:
        return Made(model, soc, precision, method, None, 0, None, seconds, words)
    try:
        compiled = pool.run(
            qairt_jobs.COMPILE,
            {"model": str(out / "model.onnx"), "soc": soc, "out": str(out / "context"), "allow_cpu": True},
        )
        actuals = [str(out / f"{sample.stem}.outputs.npz") for sample in data.held_out]
        samples = list(zip(map(str, data.held_out), actuals, strict=True))
        pool.run(qairt_jobs.RUN_ALL, {"package_model": compiled.model, "samples": samples, "soc": soc})
        references = [str(path) for path in data.references]
        outputs: tuple[OutputAccuracy, ...] = pool.run(
            numerics_jobs.COMPARE_SAMPLES, {"references": references, "actuals": actuals}
        )
    except Exception as error:
        return Made(model, soc, precision, method, None, 0, None, seconds, str(error)[:160])
    worst = min(output.sqnr_db for output in outputs)
    size = sum(compiled.sizes.values()) / 1e6
    return Made(model, soc, precision, method, round(worst, 1), len(compiled.cpu_nodes), round(size, 2), seconds)


def isolated(method: str, *arguments: Any) -> str:
    """Run one method in a new process; what went wrong, or nothing."""
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    process = context.Process(target=_in_child, args=(queue, method, arguments))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return f"gave up after {SECONDS:.0f} s"
    return str(queue.get()) if not queue.empty() else f"its process died with status {process.exitcode}"


def _in_child(queue: Any, method: str, arguments: Sequence[Any]) -> None:
    try:
        METHODS[method](*arguments)
        queue.put("")
    except Exception as error:
        queue.put(f"{type(error).__name__}: {error}"[:160])


def markdown(rows: Sequence[Made]) -> str:
    """One line a model and precision: SQNR by method, with nodes on the CPU where there are some."""
    lines = [
        f"| model | SoC | precision | {' | '.join(f'{name}, dB' for name in METHODS)} | seconds |",
        f"| --- | --- | --- |{' ---: |' * len(METHODS)} ---: |",
    ]
    keys = dict.fromkeys((row.model, row.soc, row.precision) for row in rows)
    for model, soc, precision in keys:
        found = {row.method: row for row in rows if (row.model, row.soc, row.precision) == (model, soc, precision)}
        cells = [_cell(found.get(name)) for name in METHODS]
        spent = " / ".join(f"{found[name].seconds:.0f}" if name in found else "" for name in METHODS)
        lines.append(f"| {model} | {soc} | {precision} | {' | '.join(cells)} | {spent} |")
    return "\n".join(lines)


def _cell(row: Made | None) -> str:
    if row is None:
        return ""
    if row.sqnr_db is None:
        return f"none: {row.words}".replace("|", "/").replace("\n", " ")
    return f"{row.sqnr_db:.1f}" + (f" ({row.cpu_nodes} nodes on the CPU)" if row.cpu_nodes else "")


if __name__ == "__main__":
    assert EXAMPLES.is_dir()
    sys.exit(main())
