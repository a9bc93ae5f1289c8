"""The server is light: it loads nothing heavy, and nothing outlives it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "onnx", "onnxruntime", "numpy")


def test_starting_imports_no_heavy_library():
    code = "import sys; import aipc.lsp.server as s; s.create(); print([m for m in sys.argv[1:] if m in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, timeout=60)
    assert finished.stdout.strip() == "[]", finished.stderr
