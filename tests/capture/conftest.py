"""A way to write a model file and name what is in it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from aipc.core.config import ModelRef, load_config, resolve_model

HEADER = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


@pytest.fixture
def model_file(tmp_path: Path) -> Callable[..., ModelRef]:
    """``model_file(source, "Name")``: a reference to Name in a file with that source."""

    def write(source: str, attribute: str = "Model", *, header: str = HEADER, config: str = "") -> ModelRef:
        (tmp_path / "model.py").write_text(header + textwrap.dedent(source), encoding="utf-8")
        (tmp_path / "pyproject.toml").write_text(config or "[tool.aipc]\n", encoding="utf-8")
        found = load_config(tmp_path)
        return resolve_model(next(iter(found.models), f"model.py:{attribute}"), tmp_path, found)

    return write
