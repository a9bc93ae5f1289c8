"""Run every kind for its share of the time and print a figure for each. Exit status 1 when something was wrong."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from .harness import Shared, all_kinds, report, run_kind


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", help="only this kind; may repeat")
    arguments = parser.parse_args()
    kinds = [kind for kind in all_kinds() if not arguments.kind or kind.name in arguments.kind]
    if not kinds:
        parser.error(f"kinds are {', '.join(kind.name for kind in all_kinds())}")
    figures = {}
    with tempfile.TemporaryDirectory(prefix="aipc-faults-") as directory:
        os.environ["AIPC_CACHE_DIR"] = str(Path(directory) / "cache")
        shared = Shared(Path(directory))
        assert shared.package.is_dir()  # made now: no trial's time is for it
        left = arguments.minutes * 60.0
        # The cheap kinds first: what they leave of their share goes to those that take seconds.
        for number, kind in enumerate(sorted(kinds, key=lambda kind: -kind.fixed)):
            figures[kind.name] = run_kind(kind, arguments.seed, left / (len(kinds) - number), shared)
            left -= figures[kind.name].seconds
            for wrong in figures[kind.name].wrong[:5]:
                print(f"WRONG {wrong}", file=sys.stderr, flush=True)
    print(report(figures))
    return 1 if any(figure.wrong for figure in figures.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
