"""One small model, deployed once with the real compiler and simulator for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc import engine
from aipc.core.types import DeployReport
from aipc.core.workers import WorkerPool

MODEL = """\
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        y = torch.relu(self.conv(x))
        return {"map": y, "mean": y.mean(dim=(2, 3))}

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)


class Ring(Small):
    def forward(self, x):
        y = nn.functional.pad(self.conv(x), (1, 1, 1, 1), mode="circular")
        return torch.relu(y)


class Determinant(Small):
    def forward(self, x):
        return torch.relu(torch.linalg.det(self.conv(x)))


class Sum(nn.Module):
    # Its sum is a little above what fp16 holds: correctly rounded it is some 30 dB off.
    def forward(self, x):
        return x.sum(-1) / 4096

    @staticmethod
    def example_inputs():
        return (32.5 + torch.rand(4, 4096, generator=torch.Generator().manual_seed(1)),)


class Branching(Small):
    def forward(self, x):
        if x.sum() > 0:
            return x
        return -x
"""


@pytest.fixture(scope="session")
def pool():
    with WorkerPool() as pool:
        yield pool


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    (directory / "model.py").write_text(MODEL)
    (directory / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n')
    return directory


@pytest.fixture(scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def own_cache(cache_directory: Path):
    """For each module again: those of other folders that ran in between set their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPC_CACHE_DIR", str(cache_directory))
        yield


@pytest.fixture(scope="session")
def deployed(project: Path, pool: WorkerPool, cache_directory: Path) -> DeployReport:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPC_CACHE_DIR", str(cache_directory))
        return engine.deploy(engine.DeployRequest("model.py:Small", cwd=project), pool)
