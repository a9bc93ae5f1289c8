"""Compile an uploaded ONNX file for a chip, as AI Hub's compile job does: ``compile_binary.py MODEL SOC_MODEL OUT``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from aipc.qairt.compile import compile_context


def main() -> int:
    model, soc, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        graph = Path(directory) / "graph.onnx"
        shutil.copyfile(model, graph)
        compiled = compile_context(graph, soc, Path(directory) / "out")
        shutil.copyfile(compiled.binaries[0], out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
