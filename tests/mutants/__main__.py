"""Break a copy of the sources in one line, run the nearest tests, and say which breaks nobody noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .breaks import BREAKS, Break

ROOT = Path(__file__).parents[2]
_SECONDS = 300


def survives(item: Break, directory: Path) -> bool:
    """Whether the tests pass on broken sources, a copy of which is made in ``directory``.

    Raises:
        RuntimeError: pytest could not run the tests at all.
    """
    copy = directory / "server"
    shutil.copytree(ROOT / "server", copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "aipc" / item.file
    text = file.read_text("utf-8")
    if text.count(item.old) != 1:
        raise RuntimeError(f"{item.old!r} does not stand once in {item.file}")
    file.write_text(text.replace(item.old, item.new), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *item.tests.split()]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS)
    if ran.returncode not in (0, 1):
        raise RuntimeError(
            f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
        )
    return ran.returncode == 0


def main() -> int:
    """Print a line for each break; 1 when one survived."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [item for item in BREAKS if wanted in item.file]
    survivors = 0
    for item in chosen:
        with tempfile.TemporaryDirectory() as directory:
            survived = survives(item, Path(directory))
        survivors += survived
        print(f"{'SURVIVED' if survived else 'noticed '}  {item.promise} ({item.file})", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
