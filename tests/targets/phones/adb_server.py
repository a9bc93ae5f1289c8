"""Debian's real ADB server, on a port and with a home of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADB = shutil.which("adb")


@contextmanager
def adb_server(home: Path) -> Iterator[dict[str, str]]:
    """A running server; the environment that leads a client to it."""
    assert ADB, "install Debian's package adb"
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"ANDROID_ADB_SERVER_PORT": str(port), "HOME": str(home), "TMPDIR": str(home)}
    log = (home / "adb.log").open("wb")
    server = subprocess.Popen(
        [ADB, "-P", str(port), "nodaemon", "server"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, (home / "adb.log").read_text()
            time.sleep(0.05)
        yield environment
    finally:
        server.terminate()
        server.wait(10)
        log.close()


def adb(environment: dict[str, str], *arguments: str) -> str:
    """What the real client prints."""
    assert ADB
    finished = subprocess.run(
        [ADB, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return (finished.stdout + finished.stderr).strip()
