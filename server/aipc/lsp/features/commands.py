"""What the editor's commands ask for: check, deploy, infer, targets, SoCs, doctor."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path
from typing import Any

from aipc import engine
from aipc.core.errors import AipcError, CancelledError
from aipc.core.json import to_plain
from aipc.qairt.soc import all_socs

from ..checks import progress
from ..server import AipcServer, to_path
from .checking import checker


def _file(argument: dict[str, Any]) -> Path:
    return to_path(argument["uri"]) if argument.get("uri") else Path(argument["model"].rpartition(":")[0])


def _error(error: AipcError) -> dict[str, Any]:
    place = to_plain(error.range) if error.range else None
    return {"error": {"kind": type(error).__name__, "message": error.what, "remedy": error.remedy, "range": place}}


def register(server: AipcServer) -> None:
    @server.command("aipc.server.check")
    async def check(argument: dict[str, Any]) -> Any:
        if not server.trusted:
            return {"error": {"message": "this workspace is not trusted: checking runs its code", "remedy": ""}}
        report = await checker(server).check(argument["model"], _file(argument), soc=argument.get("soc"))
        if report is not None:
            return to_plain(report)
        failed = server.results.get(argument["model"])
        finding = failed.report.findings[0] if failed and failed.report.soc == "" else None
        return {"error": {"message": finding.message if finding else "cancelled", "remedy": ""}}

    @server.command("aipc.server.deploy")
    async def deploy(argument: dict[str, Any]) -> Any:
        if not server.trusted:
            return {"error": {"message": "this workspace is not trusted: deploying runs its code", "remedy": ""}}
        request = engine.DeployRequest(
            argument["model"],
            argument.get("soc") or server.setting("soc", None),
            argument.get("precision"),
            argument.get("target"),
            allow_cpu=bool(argument.get("allowCpu", server.setting("deploy.allowCpu", False))),
            cwd=_file(argument).parent,
        )
        cancel = threading.Event()
        async with progress(server, "Deploy to Snapdragon", cancel) as on_event:
            try:
                report = await asyncio.to_thread(partial(engine.deploy, request, server.pool, on_event, cancel))
            except CancelledError:
                return {"error": {"kind": "CancelledError", "message": "cancelled", "remedy": "", "range": None}}
            except AipcError as error:
                return _error(error)
        return to_plain(report)

    @server.command("aipc.server.infer")
    async def infer(argument: dict[str, Any]) -> Any:
        run = partial(
            engine.infer,
            argument["model"],
            cwd=_file(argument).parent,
            write=bool(argument.get("write")),
            pool=server.pool,
        )
        try:
            return to_plain(await asyncio.to_thread(run))
        except AipcError as error:
            return _error(error)

    @server.command("aipc.server.targets")
    def targets() -> Any:
        return {
            "targets": to_plain(list(engine.targets())),
            "socs": [{"part": soc.part, "title": soc.title, "fp16": soc.fp16} for soc in all_socs()],
        }

    @server.command("aipc.server.doctor")
    def doctor() -> Any:
        from aipc.doctor import examine

        return to_plain(examine())

    @server.feature("aipc/status")
    def status(parameters: Any) -> Any:
        return {"trusted": server.trusted, "results": len(server.results)}
