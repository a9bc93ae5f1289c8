"""``kill -9`` of an installation: the place holds a whole package at every moment, and the next one leaves no rest."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from aipc.core.package_manifest import check_package
from aipc.pipeline.package import install_package

from ..harness import Kind, Shared
from .races import _INSTALL


def trial(random: Random, place: Path, shared: Shared) -> str:
    out = place / "out"
    install_package(shared.package, out, {})
    installer = subprocess.Popen([sys.executable, "-c", _INSTALL, str(shared.package), str(out), "100000"])
    time.sleep(random.uniform(0.05, 0.8))
    installer.kill()
    installer.wait()
    wanted = json.loads((shared.package / "manifest.json").read_text())["files"]
    if check_package(out)["files"] != wanted:
        return "no whole package after the kill"
    install_package(shared.package, out, {})
    rest = [path.name for path in place.iterdir() if path.name != "out"]
    return f"debris: {rest}" if rest else ""


KIND = Kind(name="installer kills", trial=trial, most=300)
