"""Packages with damaged or hostile files, run by the runner: exit 2 and a sentence, and none of their code runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from aipc.core.hashing import hash_file
from aipc.targets.device_runner import RUNNER

from ..harness import Kind, Shared, damage, dumped, mutate, sentence_problem

MODULES = ("numpy.py", "json.py", "argparse.py", "onnxruntime.py", "sitecustomize.py", "signal.py", "random.py")


def trial(random: Random, place: Path, shared: Shared) -> str:
    package = Path(shutil.copytree(shared.package, place / "package"))
    marker, path = place / "it ran", package / "manifest.json"
    fault = random.choice(["manifest", "file", "unlisted", "code"])
    manifest = json.loads(path.read_text())
    if fault == "manifest":
        path.write_text(dumped(mutate(random, manifest)))
    elif fault == "file":
        damage(random, package / random.choice(list(manifest["files"])))
    elif fault == "unlisted":
        (package / random.choice(MODULES)).write_text(f"open({str(marker)!r}, 'w')")
    else:
        for name in (random.choice(MODULES), "run.py"):
            (package / name).write_text(f"open({str(marker)!r}, 'w')")
            manifest["files"][name] = hash_file(package / name)
        path.write_text(dumped(manifest))
    for name in MODULES:
        (place / name).write_text(f"open({str(marker)!r}, 'w')")
    finished = subprocess.run(
        [sys.executable, "-I", str(RUNNER), "--package", str(package), "--self-test"],
        cwd=place,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if marker.exists():
        return f"{fault}: code of the package ran"
    # A name or a chip that means nothing to the runner may be changed without harm.
    harmless = fault in {"manifest", "code"}
    if problem := sentence_problem(finished, (0, 1, 2) if fault == "manifest" else (0,) if harmless else (2,)):
        return f"{fault}: {problem}"
    return ""


KIND = Kind(name="packages", trial=trial, most=400)
