"""Ctrl-C and SIGTERM end the command with status 130 and leave no process and no half-written file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ENDLESS = """
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        open("constructing", "w").close()
        while True:
            pass
"""


def processes_of(cache: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIPC_CACHE_DIR") == os.fspath(cache):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_worker(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(ENDLESS)
    cache = tmp_path / "cache"
    process = subprocess.Popen(
        [sys.executable, "-m", "aipc", "check", "model.py:Model", "--json"],
        cwd=tmp_path,
        env={**os.environ, "AIPC_CACHE_DIR": os.fspath(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "constructing").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the model was never constructed"
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert json.loads(out)["error"]["kind"] == "CancelledError"
    assert "Traceback" not in err
    deadline = time.monotonic() + 10
    while processes_of(cache) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(cache) == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "cache",
        "constructing",
        "model.py",
    ]
