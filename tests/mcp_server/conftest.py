"""The SDK's own client, over stdio, of a real server process; and the command line to hold it against."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

MODEL = """\
import torch
import torch.nn.functional as F
from torch import nn


class Ring(nn.Module):
    def forward(self, x):
        return torch.relu(F.pad(x, (1, 1, 1, 1), mode="circular"))


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        import os, pathlib, time

        pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
        time.sleep(600)
"""

PROJECT = """\
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.ring]
entry = "model.py:Ring"
inputs = { x = "float32[1,3,8,8]" }

[tool.aipc.models.slow]
entry = "model.py:Slow"
inputs = { x = "float32[1,3,8,8]" }
"""

Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIPC_AGENT", "OPENAI"))}
    home = str(tmp_path_factory.mktemp("home"))
    return {**own, "AIPC_CACHE_DIR": str(tmp_path_factory.mktemp("cache")), "XDG_CONFIG_HOME": home}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("workspace")
    (directory / "model.py").write_text(MODEL)
    (directory / "pyproject.toml").write_text(PROJECT)
    return directory


@pytest.fixture(scope="session")
def command(project: Path, environment: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Run a command with ``--json`` in the workspace; the document that it prints."""

    def run(*arguments: str) -> dict[str, Any]:
        finished = subprocess.run(
            [sys.executable, "-m", "aipc", *arguments, "--json"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        found: dict[str, Any] = json.loads(finished.stdout)
        return found

    return run


@pytest.fixture(scope="session")
def connect(project: Path, environment: dict[str, str]) -> Connect:
    """Start a server and connect to it. ``mode``: legacy is the handshake, auto the newest protocol."""

    @asynccontextmanager
    async def connected(*options: str, **settings: Any) -> AsyncIterator[Client]:
        arguments = ["-m", "aipc", "mcp", *options]
        server = StdioServerParameters(command=sys.executable, args=arguments, cwd=project, env=environment)
        async with Client(server, **settings) as client:
            yield client

    return connected
