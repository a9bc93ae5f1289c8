"""What a tool is. A tool is one file in ``tools/`` that defines ``TOOL``; adding a tool is adding a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aipc.core.types import Event
from aipc.core.workers import WorkerPool

from .workspace import Workspace

if TYPE_CHECKING:
    from .jobs import Jobs


def _ignore(event: Event) -> None:
    return None


@dataclass(slots=True)
class Call:
    """One call of a tool: what was asked, and what there is to work with."""

    arguments: Mapping[str, Any]
    workspace: Workspace
    pool: WorkerPool
    jobs: Jobs
    on_event: Callable[[Event], None] = _ignore
    cancel: threading.Event = field(default_factory=threading.Event)

    def get(self, name: str, default: Any = None) -> Any:
        value = self.arguments.get(name)
        return default if value is None else value

    @property
    def model(self) -> str:
        """The argument ``model``, inside the workspace."""
        return self.workspace.model(self.arguments["model"])


Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Args:
        name: as an agent calls it; that of the command with the same answer.
        description: for an agent that decides whether to call it: what it answers, and when it is the right one.
        properties: argument -> JSON schema.
        run: does the work; what it returns becomes the answer, as ``--json`` would print it. Raises AipcError.
        required: names of the arguments that must be given.
        long: can take longer than a client waits; with ``background`` it is a job.
        writes: changes or replaces files of the workspace; clients are told that the tool is destructive.
        target: the target that the call would run a package on, for the question whether it may.
        only_looks: what it does on a target changes nothing there.
        doing: what the call would do there, for the same question.
        brief: the answer without what fills an agent's context, for clients that read only text.
    """

    name: str
    title: str
    description: str
    run: Callable[[Call], Any]
    properties: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    long: bool = False
    writes: bool = False
    target: Callable[[Call], str] | None = None
    only_looks: bool = False
    doing: str = "copy {what} to the device {target} and run it there"
    brief: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        properties = dict(self.properties) | ({"background": _BACKGROUND} if self.long else {})
        return {
            "type": "object",
            "properties": {name: dict(schema) for name, schema in properties.items()},
            "required": list(self.required),
            "additionalProperties": False,
        }


_BACKGROUND = {
    "type": "boolean",
    "description": "Answer at once with a job id; ask for it with job_status, job_result and job_cancel.",
}


HERE = ("simulator", "local")
"""Targets that are this machine: running there pushes nothing anywhere."""


def device_of(tool: Tool, call: Call) -> str | None:
    """The device that a call would use, which takes the user's word; None when it is this machine alone."""
    target = tool.target(call) if tool.target else "simulator"
    return None if target.partition(":")[0] in HERE else target
