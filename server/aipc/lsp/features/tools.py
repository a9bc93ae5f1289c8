"""The tools of the MCP server for the editor's own agents: the same calls, the same answers, without the protocol.

``aipc.server.tool`` takes ``{name, arguments, folder, confirmed?, workDoneToken?}``, ``folder`` being the URI of the
workspace folder that is the boundary, and answers ``{document, text}``. A push to a device is refused unless
``confirmed``, which the editor sets once the user has agreed.
"""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

from aipc.core.errors import AipcError, InputError
from aipc.core.plain_data import to_plain

from ..progress import EditorProgress
from ..server import AipcServer
from ..uris import to_path
from .commands import answer_error, untrusted

_NO_CODE = {"ops", "targets", "runs", "doctor", "explain_finding"}
"""Tools that run nothing of the workspace, unless they are to look at a device as it configures one."""


def register(server: AipcServer) -> None:
    @server.command("aipc.server.tool")
    async def tool(argument: dict[str, Any]) -> Any:
        name = str(argument.get("name"))
        values_by_name = dict(argument.get("arguments") or {})
        if not server.trusted and (name not in _NO_CODE or values_by_name.get("target")):
            return untrusted(f"the tool {name}")
        from aipc.mcp.arguments import validate
        from aipc.mcp.jobs import Jobs
        from aipc.mcp.tool import Call, device_of
        from aipc.mcp.tools import all_tools
        from aipc.mcp.workspace import Workspace

        cancel = threading.Event()
        try:
            tool_of_name = all_tools().get(name)
            if tool_of_name is None:
                raise InputError(f"there is no tool {name}", remedy=f"tools are {', '.join(all_tools())}")
            arguments = {key: value for key, value in values_by_name.items() if key != "background"}
            validate(tool_of_name, arguments)
            workspace = Workspace.at(to_path(argument["folder"]))
            async with EditorProgress(server, tool_of_name.title, cancel, argument.get("workDoneToken")) as on_event:
                call = Call(arguments, workspace, server.pool, Jobs(), on_event, cancel)
                if (target := device_of(tool_of_name, call)) and not argument.get("confirmed"):
                    raise InputError(
                        f"using {target} needs the user's word",
                        remedy="name it as target, so that the user is asked",
                    )
                document = to_plain(await asyncio.to_thread(tool_of_name.run, call))
        except AipcError as error:
            return answer_error(error)
        brief = tool_of_name.brief(document) if tool_of_name.brief else document
        return {"document": document, "text": json.dumps(brief, ensure_ascii=False)}
