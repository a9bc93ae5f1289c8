"""A capture that lies on disk already: made by the process in which the model lives (see ``live.py``)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from aipc.core import plain_data
from aipc.core.config import ModelRef

from .capture_result import CaptureResult

RESULT = "result.json"
FILES = ("model.onnx", "model.data", "source_map.json", "inputs.npz", "reference.npz")


def take_over(ref: ModelRef, directory: Path) -> CaptureResult:
    """Put the files of the capture at ``ref.path`` into ``directory`` and return what was written beside them."""
    for name in FILES:
        source = ref.path / name
        if not source.is_file():
            continue
        try:
            # Both directories lie in the cache, where files are written once.
            os.link(source, directory / name)
        except OSError:
            shutil.copyfile(source, directory / name)
    return plain_data.loads((ref.path / RESULT).read_text("utf-8"), CaptureResult)
