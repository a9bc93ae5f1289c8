"""The editor's types of documents are the data types that the server sends: the same names, and types that fit."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aipc.agent.verdicts import AgentReport, EditVerdict
from aipc.capture.capture_result import InferredInputs
from aipc.core.frontier import Frontier
from aipc.core.types import (
    CheckReport,
    DeployReport,
    Finding,
    Gate,
    OutputAccuracy,
    Position,
    Range,
    StageRecord,
)
from aipc.doctor import DoctorReport, Item
from aipc.engine.packages import VerifyReport
from aipc.engine.target_devices import ExaminedDevice
from aipc.pipeline.effective import Effective, EffectiveValue
from aipc.pipeline.runs import RunStage, RunSummary
from aipc.targets.base import Description, Mismatch

SOURCES = Path(__file__).parents[2] / "extension" / "src"
DOCUMENTS = {
    "Position": Position,
    "SourceRange": Range,
    "Finding": Finding,
    "CheckReport": CheckReport,
    "Gate": Gate,
    "StageRecord": StageRecord,
    "OutputAccuracy": OutputAccuracy,
    "Frontier": Frontier,
    "DeployReport": DeployReport,
    "RunStage": RunStage,
    "RunSummary": RunSummary,
    "Target": Description,
    "Mismatch": Mismatch,
    "Examined": ExaminedDevice,
    "VerifyReport": VerifyReport,
    "DoctorItem": Item,
    "DoctorReport": DoctorReport,
    "InferredInputs": InferredInputs,
    "Choice": EffectiveValue,
    "Effective": Effective,
    "AgentReport": AgentReport,
    "Verdict": EditVerdict,
}
ADDED = {"RunSummary": {"root"}, "Examined": {"rows"}, "Effective": {"title", "fp16"}}
"""What the server puts into a document beside the fields of its data type."""


def _declared() -> dict[str, str]:
    """Interfaces and type aliases of the extension -> their text."""
    text = "\n".join((SOURCES / name).read_text("utf-8") for name in ("protocol.ts", "agent/protocol.ts"))
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    found = {}
    for match in re.finditer(r"export (?:interface (\w+) |type (\w+) =)", text):
        end = next(at for at, depth, mark in _marks(text, match.end()) if not depth and mark in ("}", ";"))
        found[match[1] or match[2]] = text[match.end() : end + 1].strip().rstrip(";").strip()
    return found


def _marks(text: str, start: int = 0) -> Iterator[tuple[int, int, str]]:
    """Every character with how many brackets are open after it."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "{[(<") - (text[at] in "}])>")
        yield at, depth, text[at]


def _parts(text: str, mark: str) -> list[str]:
    """``text`` cut at each ``mark`` outside of brackets."""
    cuts = [-1, *(at for at, depth, here in _marks(text) if not depth and here == mark), len(text)]
    return [part for a, b in pairwise(cuts) if (part := text[a + 1 : b].strip())]


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Name and type of the members of ``{ … }``."""
    for part in _parts(text[1:-1], ";"):
        name, _, kind = part.partition(":")
        yield name.strip().rstrip("?"), kind.strip()


def misfits(text: str, hint: Any, place: str, declared: Mapping[str, str]) -> Iterator[str]:
    """Where values of ``hint`` as JSON are not what the TypeScript type ``text`` says."""
    if text in declared and text not in DOCUMENTS:
        text = declared[text]
    ways = [hint] if typing.get_origin(hint) not in (typing.Union, types.UnionType) else list(typing.get_args(hint))
    kinds = _parts(text, "|")
    if hint is Any or text == "unknown":
        return
    if type(None) in ways and "null" not in kinds:
        yield f"{place}: null is missing in {text}"
    for way in ways:
        if way is type(None):
            continue
        yield from _misfit(kinds, way, place, declared)
    if "null" in kinds and type(None) not in ways:
        yield f"{place}: null never comes"


def _misfit(kinds: list[str], way: Any, place: str, declared: Mapping[str, str]) -> Iterator[str]:
    origin, arguments = typing.get_origin(way), typing.get_args(way)
    kinds = [kind for kind in kinds if kind != "null"]
    if way in (int, float, bool, str):
        wanted = {int: "number", float: "number", bool: "boolean", str: "string"}[way]
        if wanted not in kinds or set(kinds) - {wanted, *(["string"] if way is float else [])}:
            yield f"{place}: {way.__name__} is not {' | '.join(kinds)}"
    elif origin is typing.Literal or (isinstance(way, type) and issubclass(way, Enum)):
        values = arguments if origin is typing.Literal else [item.value for item in way]
        if kinds != ["string"] and {f'"{value}"' for value in values} != set(kinds):
            yield f"{place}: {sorted(values)} are not {' | '.join(kinds)}"
    elif len(kinds) != 1:
        yield f"{place}: {way} is not one of {kinds}"
    elif origin is tuple and arguments[-1] is Ellipsis:
        if not kinds[0].endswith("[]"):
            yield f"{place}: {kinds[0]} is no list"
        else:
            yield from misfits(kinds[0].removesuffix("[]"), arguments[0], f"{place}[]", declared)
    elif origin is tuple:
        for index, (kind, argument) in enumerate(zip(_parts(kinds[0][1:-1], ","), arguments, strict=True)):
            yield from misfits(kind, argument, f"{place}[{index}]", declared)
    elif is_dataclass(way):
        if kinds[0] in DOCUMENTS:
            if DOCUMENTS[kinds[0]] is not way:
                yield f"{place}: {kinds[0]} is not {way.__name__}"
        else:
            yield from misfits_of_fields(kinds[0], way, place, declared, set())
    elif record := re.fullmatch(r"Record<string, (.*)>", kinds[0], re.S):
        yield from misfits(record[1].strip(), arguments[1], f"{place}[…]", declared)
    else:
        # Which keys a mapping has is not known here; their values are.
        for name, kind in _members(kinds[0]):
            yield from misfits(kind, arguments[1], f"{place}.{name}", declared)


def misfits_of_fields(text: str, cls: Any, place: str, declared: Mapping[str, str], added: set[str]) -> Iterator[str]:
    hints = typing.get_type_hints(cls)
    names = {field.name for field in fields(cls)}
    for name, kind in _members(text):
        if name in added:
            continue
        if name not in names:
            yield f"{place}: {cls.__name__} has no {name}"
        else:
            yield from misfits(kind, hints[name], f"{place}.{name}", declared)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_editor_s_type_of_a_document_is_what_the_server_sends(name: str) -> None:
    declared = _declared()
    assert not list(misfits_of_fields(declared[name], DOCUMENTS[name], name, declared, ADDED.get(name, set())))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{ line: number; column: number }", ""),
        ("{ line: string; column: number }", "Position.line: int is not string"),
        ("{ line: number; col: number }", "Position: Position has no col"),
        ("{ line: number | null }", "Position.line: null never comes"),
    ],
)
def test_another_name_and_another_type_are_seen(text: str, problem: str) -> None:
    assert list(misfits_of_fields(text, Position, "Position", {}, set())) == ([problem] if problem else [])


def test_null_and_lists_and_nested_documents_are_seen() -> None:
    text = "{ value: number; nodes: string }"
    assert list(misfits_of_fields(text, Gate, "Gate", {}, set())) == [
        "Gate.value: null is missing in number",
        "Gate.nodes: string is no list",
    ]
    assert list(misfits_of_fields("{ start: Gate }", Range, "Range", {}, set())) == [
        "Range.start: Gate is not Position"
    ]
