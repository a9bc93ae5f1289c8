"""What the editor asks of devices: what one is, whether a package fits it, and a package verified there again."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError
from aipc.core.plain_data import to_plain

from ..documents import Deployment, ExaminedAdded
from ..progress import EditorProgress
from ..server import AipcServer
from ..uris import to_path, to_uri
from .commands import answer_error, untrusted


def register(server: AipcServer) -> None:
    @server.command("aipc.server.examine")
    async def examine(argument: dict[str, Any]) -> Any:
        """Connect to ``target``; with ``package``, compare the two."""
        if not server.trusted:
            return untrusted("connecting to a device")
        from aipc import engine
        from aipc.targets.device_facts_table import device_fact_rows

        package = Path(argument["package"]) if argument.get("package") else None
        ask = partial(engine.examine_target, argument["target"], package, server.pool, cwd=_place(argument))
        try:
            examined = await asyncio.to_thread(ask)
        except AipcError as error:
            return answer_error(error)
        facts = examined.description.facts
        return to_plain(examined) | ExaminedAdded(rows=list(device_fact_rows(facts)) if facts else [])

    @server.command("aipc.server.verify")
    async def verify(argument: dict[str, Any]) -> Any:
        """Run a package on its golden inputs again, on ``target``."""
        if not server.trusted:
            return untrusted("running a package")
        from aipc import engine

        package, target = Path(argument["package"]), argument["target"]
        cancel = threading.Event()
        async with EditorProgress(
            server, f"Verifying {package.name}", cancel, argument.get("workDoneToken")
        ) as on_event:
            try:
                options = engine.run_options(package, target, setup=bool(argument.get("setup")))
                run = partial(engine.verify, package, target, server.pool, on_event, cancel, options)
                return to_plain(await asyncio.to_thread(run))
            except AipcError as error:
                answer = answer_error(error)
                if answer["error"].get("soc"):
                    answer["again"] = _again(package)
                return answer


def _again(package: Path) -> Deployment:
    """What deploys the model of a package again: for ``aipc.server.deploy``, without chip and target."""
    from aipc.core.config import load_config
    from aipc.pipeline.package import read_manifest

    manifest, config = read_manifest(package), load_config(package)
    reference = str(manifest.get("reference") or manifest["model"])
    model = reference if reference in config.models else str(config.root / reference)
    return Deployment(model=model, uri=to_uri(config.root / "pyproject.toml"), precision=manifest["precision"])


def _place(argument: dict[str, Any]) -> Path | None:
    return to_path(argument["uri"]).parent if argument.get("uri") else None
