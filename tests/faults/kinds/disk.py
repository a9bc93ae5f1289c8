"""A disk that is full at some byte: a sentence, and what was there before is still there.

A file system in memory of a random size where one can be mounted, else a limit on the size of files.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from aipc.core.package_manifest import check_package

from ..harness import Kind, Shared, tree

_WORK = """
import sys
from pathlib import Path
from aipc.core.cache import Cache
from aipc.core.errors import StorageError
from aipc.pipeline.package import install_package
def build(directory):
    (directory / "file").write_bytes(b"x" * int(sys.argv[4]))
    return {}
try:
    Cache(Path(sys.argv[3])).put("a" * 64, build)
    install_package(Path(sys.argv[1]), Path(sys.argv[2]), {})
except StorageError as error:
    print(error)
    sys.exit(2)
"""


def trial(random: Random, place: Path, shared: Shared) -> str:
    disk = place / "disk"
    disk.mkdir()
    size = sum(len(content) for content in tree(shared.package).values())
    room = int(size * random.uniform(1.05, 3.2)) + 100_000
    mounted = _mount(disk, room)
    try:
        shutil.copytree(shared.package, disk / "out")
        before = tree(disk / "out")
        command = [sys.executable, "-c", _WORK, str(shared.package), str(disk / "out"), str(disk / "cache")]
        limit = None if mounted else random.randrange(1000, size)
        finished = subprocess.run(
            [*command, str(random.randrange(size))],
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None,
        )
        if finished.returncode not in (0, 2) or "Traceback" in finished.stderr:
            return f"status {finished.returncode}: {finished.stderr[-400:]}"
        check_package(disk / "out")
        if finished.returncode == 2 and tree(disk / "out") != before:
            return "what was there before is another one"
        rest = [path.name for path in disk.iterdir() if path.name not in {"out", "cache", "lost+found"}]
        rest += [path.name for path in disk.rglob(".tmp-*")]
        return f"debris: {rest}" if rest else ""
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)


def _mount(place: Path, size: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


KIND = Kind(name="full disks", trial=trial, most=300)
