"""What a tool is: a file in this folder that defines ``TOOL``. Adding a tool is adding a file."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aipc.agent.bench import Bench, Checked
from aipc.agent.judge import bounds
from aipc.agent.messages import Ask, ToolSpec
from aipc.agent.scratch import PatchError, Scratch
from aipc.agent.verdicts import EditProposal, FileEdit, Goal
from aipc.core.types import Finding

MOST = 8000
"""Characters of one answer."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool works with.

    Args:
        propose: judges a proposal and tells the verdict in words.
        give_up: ends the step with a reason.
    """

    bench: Bench
    scratch: Scratch
    checked: Checked
    goal: Goal
    target: Finding | None
    propose: Callable[[str, tuple[FileEdit, ...]], str]
    ask: Ask
    give_up: Callable[[str], None]
    attack: Callable[[str, str], None]
    """Takes the name of an attempt on the bounds and where it was seen."""


@dataclass(frozen=True, slots=True)
class AgentTool:
    """``run`` answers in words; what it raises as :class:`WrongCall` or ``AipcError`` is told to the model."""

    spec: ToolSpec
    run: Callable[[Context, Mapping[str, Any]], str]
    asks: bool = False
    """Only offered where there is somebody to ask."""


class WrongCall(Exception):  # noqa: N818 - an answer, not an error
    """The arguments are not what the tool takes."""


def tool(name: str, description: str, properties: Mapping[str, Any], required: tuple[str, ...] = ()) -> ToolSpec:
    schema = {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
    return ToolSpec(name, description, schema)


@lru_cache(maxsize=1)
def all_tools() -> tuple[AgentTool, ...]:
    """Every tool, found by walking this folder."""
    from aipc.agent import tools

    return tuple(
        importlib.import_module(f"{tools.__name__}.{module.name}").TOOL
        for module in pkgutil.iter_modules(tools.__path__)
        if not module.name.startswith("_")
    )


def arguments_of(text: str, spec: ToolSpec) -> dict[str, Any]:
    """The arguments that a model wrote.

    Raises:
        WrongCall: they are no JSON object, or one is missing, unknown or of another type.
    """
    try:
        value = json.loads(text or "{}", strict=False)
    except ValueError as error:
        raise WrongCall(f"the arguments are not JSON: {error}") from error
    if not isinstance(value, dict):
        raise WrongCall("the arguments are not a JSON object")
    known = spec.parameters["properties"]
    for name in spec.parameters["required"]:
        if name not in value:
            raise WrongCall(f"the argument {name!r} is missing")
    for name, item in value.items():
        if name not in known:
            raise WrongCall(f"there is no argument {name!r}; there are {', '.join(known)}")
        wanted = _TYPES[known[name]["type"]]
        if not isinstance(item, wanted) or (isinstance(item, bool) and wanted is not bool):
            raise WrongCall(f"the argument {name!r} is not of type {known[name]['type']}")
    return value


_TYPES: Mapping[str, Any] = {"string": str, "integer": int, "array": list, "number": (int, float), "boolean": bool}

EDITS = {
    "type": "array",
    "description": "Replacements, applied in order.",
    "items": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "description": "Path relative to the project."},
            "old": {"type": "string", "description": "Text that stands exactly once in the file."},
            "new": {"type": "string", "description": "What takes its place."},
        },
        "required": ["file", "old", "new"],
    },
}


def edits_of(value: Any) -> tuple[FileEdit, ...]:
    """The edits of a call. Raises WrongCall."""
    edits = []
    for item in value:
        if not isinstance(item, dict) or any(not isinstance(item.get(name), str) for name in ("file", "old", "new")):
            raise WrongCall("each edit has file, old and new, all strings")
        edits.append(FileEdit(item["file"], item["old"], item["new"]))
    if not edits:
        raise WrongCall("there are no edits")
    return tuple(edits)


def patched(context: Context, edits: tuple[FileEdit, ...]) -> Scratch:
    """The scratch copy with edits that are only looked at. Raises WrongCall."""
    try:
        scratch = context.scratch.patched(edits)
    except PatchError as error:
        if error.attack:
            context.attack(error.attack, "edits of a check")
        raise WrongCall(str(error)) from error
    gate = bounds(scratch, context.goal)
    if gate.attack:
        context.attack(gate.attack, "edits of a check")
    if not gate.ok:
        raise WrongCall(gate.words)
    return scratch


def shortened(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}\n[{len(text) - MOST} more characters are left out]"


def finding_text(finding: Finding, scratch: Scratch) -> str:
    """A finding as a line, with the compiler's own words."""
    where = f"{scratch.relative(finding.range.file)}:{finding.range.start.line}: " if finding.range else ""
    lines = [f"{where}{finding.severity.value} [{finding.rule}] {finding.message}"]
    if finding.compiler:
        lines.append(f"  compiler: {finding.compiler[:600]}")
    for item in finding.related[:3]:
        lines.append(f"  {item.message} at {scratch.relative(item.range.file)}:{item.range.start.line}")
    return "\n".join(lines)


__all__ = [
    "AgentTool",
    "Context",
    "EditProposal",
    "WrongCall",
    "all_tools",
    "arguments_of",
    "edits_of",
    "patched",
    "tool",
]
