"""Deploy models of well-known packages as they are, and print what it took: see README.md in this directory."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from cases import LIBRARY, Case, write_configuration
from measure import Measured, measure
from table import machine, update

_HEAD = (
    "| model | nodes | refused as written | rewrites, proofs | SQNR dB (ideal fp16) | seconds | verified |",
    "| --- | ---: | ---: | --- | --- | ---: | --- |",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of models, separated by commas")
    parser.add_argument("--keep", type=Path, help="a JSON file of what was measured: nothing in it is measured again")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    chosen = tuple(case for case in LIBRARY if not arguments.only or case.name in arguments.only.split(","))
    known: dict[str, str] = {}
    if arguments.keep and arguments.keep.is_file():
        known = json.loads(arguments.keep.read_text("utf-8"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="aipc-bench-") as folder:
        directory = Path(folder)
        write_configuration(directory, chosen)
        for case in chosen:
            if case.name in known:
                continue
            done = deploy(case, directory)
            failed += done.status != 0
            known[case.name] = row(case, done)
            print(known[case.name], file=sys.stderr, flush=True)
            if arguments.keep:
                arguments.keep.write_text(json.dumps(known, indent=1), "utf-8")
    lines = [*_HEAD, *(known[case.name] for case in chosen)]
    text = "\n".join(lines) + f"\n\n{machine()}"
    print(text)
    if arguments.update:
        update(arguments.update, text, "bench-models")
    return 1 if failed else 0


def deploy(case: Case, directory: Path) -> Measured:
    """From nothing but installed packages to the verified package, for sm8650 in fp16."""
    command = [sys.executable, "-m", "aipc", "deploy", case.name, "--json", "--soc", "sm8650"]
    environment = {**os.environ, "AIPC_CACHE_DIR": str(directory / "cache")}
    return measure(command, directory, environment, limit=case.limit)


def row(case: Case, done: Measured) -> str:
    try:
        report: dict[str, Any] = json.loads(done.stdout)
        stages = {stage["name"]: stage for stage in report["stages"]}
    except (ValueError, KeyError, TypeError):
        return f"| {case.name} | | | | | {done.seconds:.0f} | no: exit {done.status} |"
    placed, rewritten = stages.get("placement", {}), stages.get("rewrite", {})
    nodes, off = _figures(placed.get("note", ""))
    outputs = [item for part in (report["accuracy"] or {}).values() for item in part]
    worst = min(outputs, key=lambda item: item["sqnr_db"], default=None)
    figures = f"{worst['sqnr_db']:.1f} ({worst['ideal_fp16_sqnr_db']:.1f})" if worst else ""
    cells = [case.name, nodes, off, rewritten.get("note", ""), figures, f"{done.seconds:.0f}"]
    return f"| {' | '.join(map(str, cells))} | {'yes' if report['ok'] else 'no'} |"


def _figures(note: str) -> tuple[int, int]:
    """Nodes, and those off the NPU, of a placement's note: ``14 npu, 2 cpu, 0 fails; 1 NPU partition``."""
    counts: Counter[str] = Counter()
    for part in note.partition(";")[0].split(","):
        number, _, where = part.strip().partition(" ")
        counts[where] += int(number) if number.isdigit() else 0
    return counts.total(), counts["cpu"] + counts["fails"]


if __name__ == "__main__":
    sys.exit(main())
