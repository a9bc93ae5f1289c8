"""Processes that install into one place while others clean the cache that they read from, and sweep away what dead
processes left while the fork servers of others live."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

from aipc.core.package_manifest import check_package

from ..harness import Kind, Shared

_INSTALL = """
import sys
from pathlib import Path
from aipc.pipeline.package import install_package
for _ in range(int(sys.argv[3])): install_package(Path(sys.argv[1]), Path(sys.argv[2]), {})
"""
_USE = """
import sys
from pathlib import Path
from aipc.core.cache import Cache
def build(directory):
    (directory / "file").write_bytes(b"x" * 20_000)
    return {}
for number in range(int(sys.argv[2])):
    cache = Cache(Path(sys.argv[1]), max_bytes=30_000)
    entries = [cache.put(f"{index:064x}", build) for index in range(number % 7, number % 7 + 3)]
    cache.clean()
    assert all((entry.path / "file").read_bytes() == b"x" * 20_000 for entry in entries)
"""
_WORK = """
import os, sys
from multiprocessing import forkserver, util
sys.path.insert(0, sys.argv[1])
from aipc.core.scratch import sweep
from aipc.core.workers import WorkerPool
servers = set()
with WorkerPool(preload=()) as pool:
    for number in range(int(sys.argv[2])):
        sweep()
        assert pool.run("racing_jobs:double", {"value": number}) == 2 * number
        os.utime(util.get_temp_dir(), (1, 1))  # as if it had lived for days
        servers.add(forkserver._forkserver._forkserver_pid)
assert len(servers) == 1, f"{len(servers)} fork servers were needed"
"""


def trial(random: Random, place: Path, shared: Shared) -> str:
    out, cache = place / "out", place / "cache"
    rounds = str(random.randrange(5, 20))
    commands = [[_INSTALL, str(shared.package), str(out), rounds]] * random.randrange(2, 5)
    commands += [[_USE, str(cache), rounds]] * random.randrange(2, 4)
    commands += [[_WORK, str(Path(__file__).parent.parent), rounds]] * 2
    temporary = place / "temporary"
    temporary.mkdir()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", *command],
            stderr=subprocess.PIPE,
            text=True,
            env={**shared.environment, "TMPDIR": str(temporary)},
        )
        for command in commands
    ]
    for racer in racers:
        _, errors = racer.communicate(timeout=150)
        if racer.returncode:
            return f"a racer failed: {errors[-400:]}"
    files = check_package(out)["files"]
    if files != json.loads((shared.package / "manifest.json").read_text())["files"]:
        return "the package is another one"
    rest = [*cache.rglob(".tmp-*"), *temporary.iterdir()]
    rest += [path for path in place.iterdir() if path.name[0] == "."]
    return f"debris: {rest}" if rest else ""


KIND = Kind(name="races", trial=trial, most=300)
