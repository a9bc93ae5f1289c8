"""The sandbox: code that is not trusted computes, and can do nothing else."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from aipc.agent.confined_pool import ConfinedPool
from aipc.capture.worker_jobs import INFER
from aipc.core.config import load_config, resolve_model
from aipc.core.errors import AipcError

HOSTILE = """\
import ctypes
import os
import signal
import socket
import subprocess
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        {line}

    def forward(self, x):
        return x

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 2),)
"""


def loaded(pool, folder: Path, line: str, seconds: float = 60.0):
    (folder / "hostile.py").write_text(HOSTILE.replace("{line}", line), "utf-8")
    confined = ConfinedPool(pool, (str(folder),), seconds)
    ref = resolve_model("hostile.py:Model", folder, load_config(folder))
    try:
        return confined, confined.run(INFER, {"ref": ref})
    except AipcError as error:
        return confined, error


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("the secret", "utf-8")
    (tmp_path / "project").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "tried"),
    [
        ("open('{outside}/made.txt', 'w')", "write outside the scratch copy (made.txt)"),
        ("open('../made.txt', 'w')", "write outside the scratch copy (made.txt)"),
        ("open('{outside}/project/hostile.py', 'a')", "write outside the scratch copy (hostile.py)"),
        ("os.remove('{outside}/secret.txt')", "write outside the scratch copy (secret.txt)"),
        ("os.symlink('/etc', '{outside}/project/link')", "write outside the scratch copy (link)"),
        ("socket.create_connection(('127.0.0.1', {port}))", "network"),
        ("subprocess.run(['true'])", "start another program"),
        ("os.system('true')", "start another program"),
        ("os.kill(os.getppid(), signal.SIGTERM)", "signal another process"),
    ],
)
def test_what_code_tries_is_refused_and_named(pool, outside: Path, line, tried):
    with socket.create_server(("127.0.0.1", 0)) as server:
        filled = line.format(outside=outside, port=server.getsockname()[1])
        confined, result = loaded(pool, outside / "project", filled)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
    assert isinstance(result, AipcError)
    assert confined.tried == [tried]
    assert sorted(item.name for item in outside.iterdir()) == ["project", "secret.txt"]
    assert [item.name for item in (outside / "project").iterdir()] == ["hostile.py"]


def test_it_is_named_also_where_the_code_hides_the_error(pool, outside: Path):
    line = f"try: open('{outside}/made.txt', 'w')\n        except OSError: pass"
    confined, result = loaded(pool, outside / "project", line)
    assert not isinstance(result, AipcError)
    assert confined.tried == ["write outside the scratch copy (made.txt)"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")
@pytest.mark.parametrize(
    "line",
    [
        "libc = ctypes.CDLL(None); assert libc.open(b'{outside}/made.txt', 0o102, 0o600) >= 0, 'refused'",
        "libc = ctypes.CDLL(None); assert libc.socket(2, 1, 0) >= 0, 'refused'",
        "libc = ctypes.CDLL(None); assert libc.open(b'{outside}/secret.txt', 0) >= 0, 'refused'",
        "open('{outside}/secret.txt').read()",
        "open('/proc/self/environ').read()",
        "open(f'/proc/{os.getppid()}/environ').read()",
    ],
)
def test_the_kernel_refuses_what_python_cannot_see(pool, outside: Path, line):
    confined, result = loaded(pool, outside / "project", line.replace("{outside}", str(outside)))
    if not confined.enforced and not isinstance(result, AipcError):
        pytest.skip("this kernel has no Landlock")
    assert isinstance(result, AipcError)
    assert "refused" in str(result) or "Permission denied" in str(result) or "PermissionError" in str(result)
    assert not (outside / "made.txt").exists()


def test_no_secret_of_the_environment_is_there(pool, outside: Path, monkeypatch):
    monkeypatch.setenv("AIPC_AGENT_API_KEY", "secret-key")
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    _, result = loaded(pool, outside / "project", "raise RuntimeError(repr(dict(os.environ)))")
    assert isinstance(result, AipcError)
    assert "RuntimeError" in result.what
    assert "secret" not in f"{result.what}{result.detail}"


@pytest.mark.parametrize("line", ["os._exit(0)", "os.abort()", "ctypes.string_at(0)"])
def test_code_that_ends_its_process_gives_no_result(pool, outside: Path, line):
    _, result = loaded(pool, outside / "project", line)
    assert isinstance(result, AipcError)
    assert "ended its process by itself" in result.what


def test_an_endless_loop_is_stopped(pool, outside: Path):
    _, result = loaded(pool, outside / "project", "while True: pass", seconds=3.0)
    assert isinstance(result, AipcError)
    assert "did not finish within 3 seconds" in result.what


def test_the_front_is_not_reached_by_the_connection(pool, outside: Path):
    """A pickle sent to the front would run there: the confined process has no handle to send one by."""
    line = "raise RuntimeError(self.handles())\n\n"
    line += "    def handles(self):\n        found = []\n        for fd in range(3, 64):\n            try:\n"
    line += "                found.append((fd, stat.S_ISSOCK(os.fstat(fd).st_mode)))\n"
    line += "            except OSError:\n                pass\n        return [fd for fd, talks in found if talks]"
    source = HOSTILE.replace("import os\n", "import os\nimport stat\n")
    (outside / "project" / "hostile.py").write_text(source.replace("{line}", line), "utf-8")
    confined = ConfinedPool(pool, (str(outside / "project"),), 60.0)
    ref = resolve_model("hostile.py:Model", outside / "project", load_config(outside / "project"))
    with pytest.raises(AipcError, match=r"RuntimeError: \[\]"):
        confined.run(INFER, {"ref": ref})


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")
def test_a_home_on_the_import_path_stays_closed(pool, outside: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(outside))
    monkeypatch.syspath_prepend(str(outside))
    confined, result = loaded(pool, outside / "project", f"open('{outside}/secret.txt').read()")
    if not confined.enforced and not isinstance(result, AipcError):
        pytest.skip("this kernel has no Landlock")
    assert "PermissionError" in str(result)
