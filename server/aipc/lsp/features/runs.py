"""The runs and packages of the workspace."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError
from aipc.core.plain_data import to_plain

from ..documents import PackageFile, PackageInfo, RunAdded
from ..server import AipcServer
from ..uris import to_path


def register(server: AipcServer) -> None:
    @server.command("aipc.server.runs")
    async def runs() -> list[Any]:
        return await asyncio.to_thread(_runs, _roots(server))

    @server.command("aipc.server.packages")
    async def packages() -> list[PackageInfo]:
        return await asyncio.to_thread(_packages, _roots(server))


def _roots(server: AipcServer) -> list[Path]:
    """Directories of the workspace that may hold ``.aipc``: the folders, and those that deployed models lie in."""
    folders = [to_path(folder.uri) for folder in server.workspace.folders.values()]
    below = [path.parent for folder in folders for path in (*folder.glob(".aipc"), *folder.glob("*/.aipc"))]
    models = [Path(file).parent for checked in server.results.values() for file in checked.texts]
    return list(dict.fromkeys((*folders, *below, *models)))


def _runs(roots: list[Path]) -> list[Any]:
    from aipc import engine

    by_directory = {}
    for root in roots:
        try:
            by_directory.update({run.directory: to_plain(run) | RunAdded(root=str(root)) for run in engine.runs(root)})
        except AipcError:
            continue
    return sorted(by_directory.values(), key=lambda run: -float(run["started"]))


def _packages(roots: list[Path]) -> list[PackageInfo]:
    """Every package with its manifest and the sizes of its files."""
    by_directory = {}
    for manifest in (path for root in roots for path in (root / ".aipc" / "packages").glob("**/manifest.json")):
        try:
            content = json.loads(manifest.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        directory = manifest.parent
        files = [
            PackageFile(name=str(path.relative_to(directory)), bytes=path.stat().st_size)
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        ]
        by_directory[str(directory)] = PackageInfo(directory=str(directory), manifest=content, files=files)
    return list(by_directory.values())
