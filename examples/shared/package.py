"""Run a package that ``aipc deploy`` wrote, through the command line, as any program could."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def run_package(package: Path, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs of the package for the inputs, both in the order of the manifest.

    Raises:
        SystemExit: ``aipc run`` failed; its message is on stderr.
    """
    import json

    manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        given, received = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(given, **{spec["name"]: array for spec, array in zip(manifest["inputs"], inputs, strict=True)})
        command = [sys.executable, "-m", "aipc", "run", os.fspath(package), "--input", os.fspath(given)]
        finished = subprocess.run([*command, "--output", os.fspath(received)], stdout=subprocess.DEVNULL)
        if finished.returncode:
            sys.exit(f"`aipc run {package}` failed with status {finished.returncode}")
        with np.load(received) as outputs:
            return [outputs[spec["name"]] for spec in manifest["outputs"]]
