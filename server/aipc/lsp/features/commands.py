"""What the editor's commands ask for: check, deploy, inference of inputs, targets, doctor.

The engine is imported when it is first needed: the server answers sooner.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError, CancelledError, NoInputsError
from aipc.core.plain_data import to_plain
from aipc.core.requests import DeployRequest
from aipc.qairt.soc import all_socs, get_soc

from ..documents import EffectiveAdded, ErrorDetails, ServerError, Soc, Targets
from ..effective import effective_for
from ..progress import EditorProgress
from ..request import request_from
from ..server import AipcServer
from ..uris import to_path


def file_of(argument: dict[str, Any]) -> Path:
    return to_path(argument["uri"]) if argument.get("uri") else Path(argument["model"].rpartition(":")[0])


def answer_error(error: AipcError) -> ServerError:
    """An error as data: the protocol's own errors carry no place and no remedy.

    ``soc``: the chip to compile for, where another one is the way out. ``proposals``: argument -> dtype and shape that
    the code suggests, where no example inputs were found.
    """
    place = to_plain(error.range) if error.range else None
    details = ErrorDetails(kind=type(error).__name__, message=error.what, remedy=error.remedy, range=place)
    if isinstance(error, NoInputsError):
        details["proposals"] = error.proposals
    if soc := getattr(error, "soc", ""):
        details["soc"] = soc
    return ServerError(error=details)


def untrusted(doing: str, does: str = "runs its code") -> ServerError:
    message = f"this workspace is not trusted, and {doing} {does}"
    return {"error": {"kind": "Untrusted", "message": message, "remedy": "trust the workspace", "range": None}}


def soc_asked_for(server: AipcServer, argument: Mapping[str, Any]) -> str | None:
    """The chip to compile for, as the user named it for this deployment or by the setting.

    A device itself says which chip it is: the setting does not speak of it.
    """
    on_device = argument.get("target") not in (None, "", "simulator")
    return argument.get("soc") or (None if on_device else server.setting("soc", None))


def register(server: AipcServer) -> None:
    @server.command("aipc.server.check")
    async def check(argument: dict[str, Any]) -> Any:
        if not server.trusted:
            return untrusted("checking")
        report = await server.checker.check(argument["model"], file_of(argument), soc=argument.get("soc"))
        if report is not None:
            return to_plain(report)
        failed = server.results.get(argument["model"])
        finding = failed.report.findings[0] if failed and failed.report.soc == "" else None
        if finding is None:
            return answer_error(CancelledError("cancelled"))
        place = to_plain(finding.range)
        return ServerError(error=ErrorDetails(kind=finding.rule, message=finding.message, remedy="", range=place))

    @server.command("aipc.server.deploy")
    async def deploy(argument: dict[str, Any]) -> Any:
        if not server.trusted:
            return untrusted("deploying")
        from aipc import engine

        preset = {"soc": soc_asked_for(server, argument), "allowCpu": server.setting("deploy.allowCpu", False)}
        request = request_from({**preset, **argument}, DeployRequest, cwd=file_of(argument).parent)
        cancel = threading.Event()
        title = f"Deploying {request.model.rpartition(':')[2]}"
        async with EditorProgress(server, title, cancel, argument.get("workDoneToken")) as on_event:
            try:
                report = await asyncio.to_thread(partial(engine.deploy, request, server.pool, on_event, cancel))
            except AipcError as error:
                return answer_error(error)
        after = server.checker.deployed(request.model, file_of(argument), report, request.calibration)
        server.keep_task(asyncio.ensure_future(after))
        return to_plain(report)

    @server.command("aipc.server.infer")
    async def infer(argument: dict[str, Any]) -> Any:
        """``seconds``: stop after this time, with an error of the kind TimeLimitError."""
        if not server.trusted:
            return untrusted("looking for its inputs")
        from aipc import engine

        cancel = threading.Event()
        title = f"Looking for example inputs of {argument['model'].rpartition(':')[2]}"
        async with EditorProgress(server, title, cancel, argument.get("workDoneToken")) as on_event:
            run = partial(
                engine.infer,
                argument["model"],
                cwd=file_of(argument).parent,
                write=bool(argument.get("write")),
                pool=server.pool,
                on_event=on_event,
                cancel=cancel,
                seconds=argument.get("seconds"),
            )
            try:
                return to_plain(await asyncio.to_thread(run))
            except AipcError as error:
                return answer_error(error)

    @server.command("aipc.server.setInputs")
    async def set_inputs(argument: dict[str, Any]) -> Any:
        """Remember a model's example inputs in the configuration; answers with the name it has there.

        ``replaces`` in the answer: other inputs stand there and were left; asked again with ``replace``, they go.
        """
        if not server.trusted:
            return untrusted("keeping example inputs", "changes its configuration, or that around a file elsewhere")
        from aipc import engine

        inputs, replace = dict(argument["inputs"]), bool(argument.get("replace"))
        try:
            remembered = engine.configure(argument["model"], inputs, cwd=file_of(argument).parent, replace=replace)
        except AipcError as error:
            return answer_error(error)
        return to_plain(remembered)

    @server.command("aipc.server.effective")
    def effective(argument: dict[str, Any]) -> Any:
        """Chip, precision and target for a file or one of its models, and who says so.

        ``withoutSetting``: as if the setting ``aipc.soc`` were empty.
        """
        path = file_of(argument)
        try:
            settings = effective_for(server, path.parent, argument.get("model"), bool(argument.get("withoutSetting")))
        except AipcError as error:
            return answer_error(error)
        soc = get_soc(settings.soc.value)
        return to_plain(settings) | EffectiveAdded(title=soc.title, fp16=soc.fp16)

    @server.command("aipc.server.targets")
    async def targets() -> Targets:
        from aipc import engine

        folders = [to_path(folder.uri) for folder in server.workspace.folders.values()]
        target_list = await asyncio.to_thread(engine.targets, folders)
        socs = [Soc(part=soc.part, title=soc.title, arch=soc.htp_arch, fp16=soc.fp16) for soc in all_socs()]
        return Targets(targets=to_plain(list(target_list)), socs=socs)

    @server.command("aipc.server.doctor")
    async def doctor() -> Any:
        from aipc.doctor import examine

        return to_plain(await asyncio.to_thread(examine))
