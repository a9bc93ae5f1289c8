"""One quantized model with integer inputs and outputs, deployed once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc import engine

MODEL = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, image, offset):
        x = torch.relu(self.conv(image)) + offset
        return x, x.mean(dim=(2, 3))


def samples():
    draw = torch.Generator().manual_seed(3)
    return [(torch.rand(1, 3, 8, 8, generator=draw), torch.rand(1, 4, 1, 1, generator=draw)) for _ in range(12)]
"""
CONFIG = """\
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.net]
entry = "model.py:Net"
inputs = { image = "float32[1,3,8,8]", offset = "float32[1,4,1,1]" }
precision = "w8a16"
calibration = "model.py:samples"
tolerance = { sqnr_db = 25 }
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes and gives 16-bit integers; judged on a part of ``samples``."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text(CONFIG)
    (folder / "model.py").write_text(MODEL)
    report = engine.deploy(engine.DeployRequest("net", cwd=folder, integer_io=True, probes="none"))
    assert report.package, report.stages
    return Path(report.package)
