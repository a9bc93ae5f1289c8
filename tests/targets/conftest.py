"""One small package, deployed once with the real compiler for the tests of this folder, and a device to run it on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from aipc import engine

from .bench import Bench
from .device import SSHD, TestDevice

MODEL = """\
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.relu(self.conv(x))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)
"""


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all workers of a test run share."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "devices"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def device_project(shared: Path) -> Path:
    directory = shared / "project"
    directory.mkdir(exist_ok=True)
    (directory / "model.py").write_text(MODEL)
    (directory / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n')
    return directory


@pytest.fixture(scope="session")
def package(shared: Path, device_project: Path) -> Path:
    with FileLock(shared / "package.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPC_CACHE_DIR", str(shared / "cache"))
        found = device_project / ".aipc" / "packages" / "Small-sm8650-fp16"
        if not (found / "manifest.json").is_file():
            report = engine.deploy(engine.DeployRequest("model.py:Small", cwd=device_project))
            assert report.ok
        return found


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory):
    if SSHD is None:
        pytest.skip("openssh-server is not installed")
    with TestDevice(tmp_path_factory.mktemp("device")) as device, pytest.MonkeyPatch.context() as patch:
        for name, value in device.client_environment().items():
            patch.setenv(name, value)
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield device


@pytest.fixture(scope="module")
def bench(device: TestDevice, package: Path):
    """The device behind a proxy, with the libraries of this Python."""
    with Bench(device, package, {"python": sys.executable, "silence": 3}) as bench:
        yield bench
