"""One small live module, deployed once through the Python interface for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import aipc


class Panorama(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return F.pad(torch.relu(self.conv(image)), (1, 1, 1, 1), mode="circular")  # the line of the finding


def image(seed: int = 1) -> torch.Tensor:
    return torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the present directory."""
    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Panorama, aipc.DeployReport]:
    """The module, and the report of its deployment for sm8650."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "pyproject.toml").write_text("[tool.aipc]\n")
        patch.chdir(folder)
        model = Panorama().train()
        return model, aipc.deploy(model, image(), soc="sm8650")
