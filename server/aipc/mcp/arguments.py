"""Are a tool's arguments as its schema says? The few words of JSON Schema that our tools use, without a library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.core.errors import InputError

from .tool import Tool

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
    "array": (list,),
    "object": (dict,),
}


def validate(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """Raises InputError with what is wrong and what the arguments are."""
    properties = tool.schema["properties"]
    problems = [f"{name} is missing" for name in tool.required if name not in arguments]
    problems += [f"it has no argument {name}" for name in arguments if name not in properties]
    for name, value in arguments.items():
        if name in properties and (problem := _problem(value, properties[name])):
            problems.append(f"{name} {problem}")
    if problems:
        raise InputError(
            f"{tool.name} was called wrongly: {'; '.join(problems)}",
            remedy=f"its arguments are {', '.join(properties) or 'none'}",
        )


def _problem(value: Any, schema: Mapping[str, Any]) -> str:
    wanted = schema["type"]
    if not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
        return f"is not of type {wanted}"
    if "minimum" in schema and value < schema["minimum"]:
        return f"is below {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"is above {schema['maximum']}"
    if isinstance(value, list):
        return next((f"has an item that {text}" for item in value if (text := _problem(item, schema["items"]))), "")
    return ""
