"""The extension's types of what the server says have the names and kinds of the server's own."""

from __future__ import annotations

import dataclasses
import re
import runpy
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from aipc import doctor
from aipc.core import frontier
from aipc.core import types as core_types
from aipc.engine.packages import VerifyReport
from aipc.pipeline import effective, runs
from aipc.targets import base, preflight

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "extension" / "src" / "protocol.ts").read_text("utf-8")
TYPES: dict[str, Any] = {
    "Position": core_types.Position,
    "SourceRange": core_types.Range,
    "Finding": core_types.Finding,
    "CheckReport": core_types.CheckReport,
    "Gate": core_types.Gate,
    "StageRecord": core_types.StageRecord,
    "OutputAccuracy": core_types.OutputAccuracy,
    "DeployReport": core_types.DeployReport,
    "Frontier": frontier.Frontier,
    "Choice": effective.EffectiveValue,
    "RunStage": runs.RunStage,
    "RunSummary": runs.RunSummary,
    "Target": base.Description,
    "Mismatch": preflight.Mismatch,
    "VerifyReport": VerifyReport,
    "DoctorItem": doctor.Item,
    "DoctorReport": doctor.DoctorReport,
}
ADDED = {"RunSummary": {"root"}}
"""Fields that the language server adds to what the engine gives."""


def members(name: str) -> dict[str, tuple[bool, str]]:
    """Field -> whether it may be absent, and its type, of one interface in protocol.ts."""
    found = re.search(rf"^export interface {name} {{\n(.*?)^}}", TEXT, re.M | re.S)
    assert found, f"protocol.ts has no interface {name}"
    body = re.sub(r"//[^\n]*|/\*.*?\*/", "", found[1], flags=re.S)
    return {
        field: (bool(mark), kind.strip()) for field, mark, kind in re.findall(r"^  (\w+)(\??): (.+?); *$", body, re.M)
    }


def fits(kind: str, hint: Any) -> bool:
    """Whether a TypeScript type can hold what a Python type becomes in JSON, at its first level."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [item for item in get_args(hint) if item is not type(None)]
        nullable = len(inner) < len(get_args(hint))
        parts = [part.strip() for part in kind.split("|")]
        if nullable and "null" not in parts and "{" not in kind:
            return False
        kind, hint = " | ".join(part for part in parts if part != "null"), inner[0]
    origin = get_origin(hint)
    if hint is bool:
        return kind == "boolean"
    if hint in (int, float):
        return kind in ("number", "number | string")
    if hint is str or (isinstance(hint, type) and issubclass(hint, (Enum, Path))) or origin is Literal:
        return kind == "string" or '"' in kind or kind == "RunState"
    if origin in (tuple, list, Sequence):
        return kind.endswith("[]")
    if origin in (dict, Mapping):
        return kind.startswith(("Record<", "{"))
    if dataclasses.is_dataclass(hint):
        return kind[:1].isupper() or kind.startswith("{")
    return True


@pytest.mark.parametrize("name", TYPES)
def test_every_field_is_one_of_the_server_s_with_its_kind(name: str) -> None:
    hints = get_type_hints(TYPES[name])
    given = members(name)
    assert given
    for field, (_, kind) in given.items():
        if field in ADDED.get(name, ()):
            continue
        assert field in hints, f"{name}.{field} is no field of {TYPES[name].__name__}"
        assert fits(kind, hints[field]), f"{name}.{field}: {kind} cannot hold {hints[field]}"


def test_what_the_editor_asks_for_is_generated_from_the_request_and_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "generate_protocol.py"))["page"]()
    assert (ROOT / "extension" / "src" / "requests.ts").read_text("utf-8") == page, "run make docs"
    assert "  allowCpu?: boolean;" in page
    assert "  model: string;" in page


def test_a_field_of_another_kind_is_seen() -> None:
    assert not fits("string", int)
    assert not fits("string", str | None)
    assert not fits("number", tuple[int, ...])
    assert fits("Gate | null", core_types.Gate | None)
