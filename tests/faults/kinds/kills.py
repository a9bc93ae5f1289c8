"""``kill -9`` of a deployment, its fork server or its worker, at any moment: the next one makes the same package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from aipc.core.package_manifest import check_package

from ..harness import Kind, Shared


def trial(random: Random, place: Path, shared: Shared) -> str:
    wanted = check_package(shared.package)["files"]
    project = Path(shutil.copytree(shared.project, place / "project", ignore=shutil.ignore_patterns(".aipc")))
    out, temporary = place / "out", place / "temporary"
    temporary.mkdir()
    environment = {"AIPC_CACHE_DIR": str(place / "cache"), "TMPDIR": str(temporary)}
    if random.random() < 0.4:  # resumed: the stages before are in the cache
        shutil.copytree(shared.cache, place / "cache", symlinks=True)
        for entry in random.sample(sorted((place / "cache" / "entries").glob("*/*")), 4):
            shutil.rmtree(entry)
    command = [sys.executable, "-m", "aipc", "deploy", "model.py:Small", "--output", str(out)]
    deployment = subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(random.uniform(0.2, 6.0))
    victim = random.choice(["front", "front", "any child"])
    children = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(deployment.pid).children(recursive=True)
    if victim == "front" or not children:
        deployment.kill()
    else:
        with suppress(psutil.NoSuchProcess):
            random.choice(children).kill()
    try:
        _, errors = deployment.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        deployment.kill()
        return f"hang after the death of {victim}"
    if victim != "front" and deployment.returncode not in (0, 2, -9):
        return f"status {deployment.returncode}: {errors[-300:]}"
    if "Traceback" in errors:
        return f"traceback: {errors[-600:]}"
    again = shared.aipc(project, "deploy", "model.py:Small", "--output", str(out), seconds=150, **environment)
    if again.returncode:
        return f"not resumed: {again.stderr[-400:]}"
    if check_package(out)["files"] != wanted:
        return "another package after resuming"
    return _debris(place, children)


def _debris(place: Path, children: list[psutil.Process]) -> str:
    deadline = time.monotonic() + 10
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        if time.monotonic() > deadline:
            return "processes of the killed deployment still run"
        time.sleep(0.1)
    rest = [path.name for path in place.iterdir() if path.name.startswith(".")]
    rest += [path.name for path in (place / "temporary").iterdir() if path.name.startswith("aipc-scratch-")]
    return f"debris: {rest}" if rest else ""


KIND = Kind(name="kills", trial=trial, most=400)
