"""A tool's arguments from the request that it makes, described in ``core/requests.py``; and answers made shorter."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

from aipc.core.option import PathKind, Value, build, values_of

from ..tool import Call, Schema

T = TypeVar("T")

JOB = {"type": "string", "description": "Id of the job, as the tool that started it answered."}

_TYPES = {str: "string", Path: "string", bool: "boolean", int: "integer", float: "number"}
_INSIDE = "Paths are inside the workspace."


def properties_of(request: type, *, without: Collection[str] = ()) -> dict[str, Schema]:
    """Argument -> JSON schema, of everything that the user of a request gives."""
    return {item.name: _schema(item) for item in _values(request) if item.name not in without}


def _values(request: type) -> Iterator[Value]:
    return (item for item in values_of(request) if not item.option.users_word)


def required_by(request: type) -> tuple[str, ...]:
    return tuple(item.name for item in values_of(request) if item.required)


def request_of(call: Call, request: type[T], **others: Any) -> T:
    """The request that a call makes; each path that it names lies inside the workspace.

    Raises:
        AipcError: a path leads outside, or there is no such model.
    """
    values_by_name = {item.name: _inside(call, item) for item in _values(request) if item.name in call.arguments}
    return build(request, values_by_name, **others)


def _schema(item: Value) -> Schema:
    kind: dict[str, Any] = {"type": _TYPES[item.type]}
    if item.option.minimum is not None:
        kind["minimum"] = item.option.minimum
    if item.many:
        kind = {"type": "array", "items": kind}
    texts = (item.help, item.option.agents, _INSIDE if item.option.path else "")
    return {**kind, "description": " ".join(text for text in texts if text)}


def _inside(call: Call, item: Value) -> Any:
    value, path = call.get(item.name), item.option.path
    if value is None or path is None:
        return value
    if path is PathKind.MODEL:
        return call.workspace.model(value)
    if item.many:
        return tuple(str(call.workspace.path(text)) for text in value)
    return data_inside(call, value) if path is PathKind.DATA else call.workspace.path(value)


def data_inside(call: Call, text: str) -> str | None:
    """Data that a call names, inside the workspace: a path, ``file.py:name`` or ``random``."""
    if text in ("", "random"):
        return text or None
    file, separator, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    return f"{call.workspace.path(file)}{separator}{name}"


def target_of(call: Call) -> str:
    """The target that was asked for, else the one of the configuration of the model, else the simulator."""
    return str(call.get("target") or call.workspace.project(call.model).target or "simulator")


def without_nodes(document: dict[str, Any]) -> dict[str, Any]:
    """A check's answer without the list of all nodes, which the tool placement gives."""
    return {key: value for key, value in document.items() if key != "node_placements"}
