"""Measure ``aipc check`` and ``aipc deploy`` beside the bare minimum: see README.md in this directory."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cases import CASES, Case, write_configuration
from measure import Measured, measure
from table import Row, machine, markdown, update

INSIDE = Path(__file__).with_name("inside.py")
STATES = ("cold", "warm", "cached")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of cases, separated by commas")
    parser.add_argument("--quick", action="store_true", help="only the cases that take seconds")
    parser.add_argument("--drop-caches", action="store_true", help="cold also means libraries read from disk (root)")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    chosen = select(arguments.only, quick=arguments.quick)
    with tempfile.TemporaryDirectory(prefix="aipc-bench-") as folder:
        directory = Path(folder)
        write_configuration(directory, chosen)
        rows = [*startup(directory)]
        for case in chosen:
            rows.extend(measured(case, directory, drop_caches=arguments.drop_caches))
    text = f"{markdown(rows)}\n\n{machine()}"
    print(text)
    if arguments.update:
        update(arguments.update, text)
    return 0 if all(row.status in (0, 1) for row in rows) else 1


def select(only: str | None, *, quick: bool) -> tuple[Case, ...]:
    """The cases asked for.

    Raises:
        SystemExit: a name is unknown.
    """
    if only is None:
        return tuple(case for case in CASES if case.quick or not quick)
    wanted = only.split(",")
    unknown = set(wanted) - {case.name for case in CASES}
    if unknown:
        sys.exit(f"unknown cases: {', '.join(sorted(unknown))}; known: {', '.join(case.name for case in CASES)}")
    return tuple(case for case in CASES if case.name in wanted)


def startup(directory: Path) -> Iterator[Row]:
    """The time until the command line has answered anything at all: the best of five."""
    command = [sys.executable, "-m", "aipc", "--help"]
    runs = [measure(command, directory, environment(directory / "startup")) for _ in range(5)]
    best = min(runs, key=lambda run: run.seconds)
    say("aipc --help", best)
    yield Row("-", "--help", "warm", best.seconds, best.peak_mb, best.status, {})


def measured(case: Case, directory: Path, *, drop_caches: bool) -> Iterator[Row]:
    """The bare minimum first, then both commands in each state."""
    bare = run_bare(case, directory)
    stages = json.loads(bare.stdout.strip().splitlines()[-1]) if bare.status == 0 else {}
    yield Row(case.name, "bare", "warm", bare.seconds, bare.peak_mb, bare.status, stages)
    whole = bare.seconds if bare.status == 0 else None
    for command in ("check", "deploy"):
        cache = directory / f"cache-{case.name}-{command}"
        for state in STATES:
            if state == "cold" and drop_caches:
                drop_file_cache()
            if state != "cached":
                shutil.rmtree(cache, ignore_errors=True)
            package = str(directory / f"package-{case.name}")
            arguments = [sys.executable, "-m", "aipc", command, case.name, "--json"]
            if state == "warm":
                arguments = [sys.executable, str(INSIDE), command, case.name, package]
            elif command == "deploy":
                arguments += ["--output", package]
            run = measure(arguments, directory, environment(cache), case.limit)
            say(f"{case.name} {command} {state}", run)
            yield Row(case.name, command, state, inside(run), run.peak_mb, run.status, split(run), whole)


def run_bare(case: Case, directory: Path) -> Measured:
    work = directory / f"bare-{case.name}"
    work.mkdir()
    shape = ",".join(map(str, case.input_shape))
    script = Path(__file__).with_name("bare.py")
    command = [sys.executable, str(script), str(case.entry), case.factory, shape, str(work)]
    run = measure(command, directory, environment(work), case.limit)
    say(f"{case.name} bare", run)
    return run


def split(run: Measured) -> Mapping[str, float]:
    """Seconds by stage as the command itself reports them."""
    try:
        report: dict[str, Any] = json.loads(run.stdout)
    except json.JSONDecodeError:
        return {}
    if "stages" in report:
        return {stage["name"]: stage["seconds"] for stage in report["stages"]}
    return dict(report.get("timings", {}))


def inside(run: Measured) -> float:
    """Seconds of the command alone where its process says them (warm workers), else of the whole process."""
    try:
        return float(json.loads(run.stdout)["seconds"])
    except (json.JSONDecodeError, KeyError):
        return run.seconds


def environment(cache: Path) -> Mapping[str, str]:
    return {**os.environ, "AIPC_CACHE_DIR": str(cache), "NO_COLOR": "1"}


def drop_file_cache() -> None:
    """Make the system read libraries from the disk again; only Linux's root may."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("1\n")
    except (OSError, AttributeError):
        return


def say(what: str, run: Measured) -> None:
    ended = "gave up" if run.status is None else f"exit {run.status}"
    print(f"{what}: {run.seconds:.2f} s, {run.peak_mb:.0f} MB, {ended}", file=sys.stderr, flush=True)
    if run.status not in (0, 1, None):
        print(run.stderr[-2000:], file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
