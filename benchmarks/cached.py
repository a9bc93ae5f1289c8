"""A deployment and a check whose every stage is in the cache, of this tree and of an earlier one, in turn.

Each is a whole process, as a user starts it. Processor seconds are what it computed; seconds are what the user waited,
which on a busy machine is more. One model has few weights, the other 67 MB, which a cache that hashed them would show.

    git worktree add --detach ../before REVISION
    python benchmarks/cached.py --before ../before
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = """\
import torch
from torch import nn

torch.manual_seed(0)


class Small(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 8, 3), nn.ReLU())

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)


class Large(nn.Sequential):
    def __init__(self):
        super().__init__(*(layer for _ in range(4) for layer in (nn.Linear(2048, 2048), nn.ReLU())))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 2048, generator=torch.Generator().manual_seed(1)),)
"""
COMMANDS = tuple((command, model) for model in ("Small", "Large") for command in ("deploy", "check"))
_HERE = Path(__file__).resolve().parents[1]


def run(tree: Path, directory: Path, command: str, model: str) -> tuple[float, float]:
    """Seconds and processor seconds of one process. Raises SystemExit where it fails."""
    place = directory / tree.name
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(tree / "server"), "AIPC_CACHE_DIR": str(place / "cache")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-m", "aipc", command, f"model.py:{model}", "--soc", "sm8650"],
        cwd=place,
        env={**environment, "PYTHONPYCACHEPREFIX": str(place / "bytecode")},
        capture_output=True,
        text=True,
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if finished.returncode:
        sys.exit(f"{tree}: {command} {model} failed:\n{finished.stderr}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="a work tree of the revision to compare with")
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    trees = (arguments.before.resolve(), _HERE)
    print(f"{'command':16}{'seconds':>18}{'ratio':>8}{'processor s':>18}{'ratio':>8}")
    with tempfile.TemporaryDirectory(prefix="aipc-cached-") as folder:
        directory = Path(folder)
        for tree in trees:
            (directory / tree.name).mkdir()
            (directory / tree.name / "model.py").write_text(MODELS)
        for command, model in COMMANDS:
            for tree in trees:  # fills the caches
                run(tree, directory, command, model)
                run(tree, directory, command, model)
            pairs = [tuple(run(tree, directory, command, model) for tree in trees) for _ in range(arguments.runs)]
            columns = []
            for which in (0, 1):
                before, after = ([pair[side][which] for pair in pairs] for side in (0, 1))
                ratio = statistics.median(b / a for a, b in zip(before, after, strict=True))
                columns.append(f"{statistics.median(before):8.3f} → {statistics.median(after):6.3f}{ratio:9.2f}")
            print(f"{command + ' ' + model:16}{columns[0]:>26}{columns[1]:>26}", flush=True)


if __name__ == "__main__":
    main()
