"""The editor's types of what it asks and is answered come from the server's data types."""

from __future__ import annotations

import dataclasses
import json
import math
import runpy
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from aipc.agent.bridge import _WORDS
from aipc.core.plain_data import dumps
from aipc.core.types import DeployReport, Gate, Position, Range
from aipc.pipeline.runs import RunSummary

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "scripts" / "generate_protocol.py"))
PAGE: str = GENERATOR["page"]()


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Wire(TypedDict, total=False):
    """Shown."""

    size: int


@dataclasses.dataclass(frozen=True)
class Sample:
    name: str
    sqnr_db: float
    seconds: float
    range: Range | None
    colours: tuple[Colour, ...]
    pair: tuple[int, str]
    by_name: Mapping[str, tuple[float, ...]]
    state: Literal["on", "off"] = "on"
    free: Any = None
    file: Path | None = None


def test_the_file_is_what_the_data_types_make_of_it() -> None:
    assert (ROOT / "extension" / "src" / "protocol.ts").read_text("utf-8") == PAGE, "run make docs"


def test_no_other_file_of_the_extension_describes_the_server() -> None:
    assert [path.name for path in (ROOT / "extension" / "src").rglob("protocol.ts")] == ["protocol.ts"]


def test_every_kind_of_field_has_its_form_in_json() -> None:
    assert list(GENERATOR["_interface"](Sample, {})) == [
        "export interface Sample {",
        "  name: string;",
        "  sqnr_db: Figure;",
        "  seconds: number;",
        "  range: SourceRange | null;",
        '  colours: ("red" | "blue")[];',
        "  pair: [number, string];",
        "  by_name: Record<string, Figure[]>;",
        '  state: "on" | "off";',
        "  free: unknown;",
        "  file: string | null;",
        "}",
    ]
    assert list(GENERATOR["_interface"](Wire, {})) == [
        "/** Shown. */",
        "export interface Wire {",
        "  size?: number;",
        "}",
    ]


def test_a_type_without_a_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="field size has no form in TypeScript"):
        GENERATOR["_type"](complex, "size")


def members(name: str) -> dict[str, str]:
    """Field (with ``?`` where it may be absent) -> type, of one interface of the file."""
    body = PAGE.split(f"export interface {name} {{\n")[1].split("\n}")[0]
    rows = (line.strip().rstrip(";").partition(": ") for line in body.split("\n") if not line.strip().startswith("/**"))
    return {field: kind for field, _, kind in rows}


def test_a_document_has_every_field_that_is_written() -> None:
    gate = Gate("sqnr_db", math.inf, 40.0, True)
    assert list(members("Gate")) == list(json.loads(dumps(gate)))
    assert members("Gate")["value"] == "Figure | null"
    assert json.loads(dumps(gate))["value"] == "inf"
    assert list(members("Position")) == list(json.loads(dumps(Position(1, 0))))
    assert set(members("RunSummary")) == {field.name for field in dataclasses.fields(RunSummary)} | {"root"}
    assert set(members("DeployReport")) == {field.name for field in dataclasses.fields(DeployReport)}


def test_what_may_be_absent_is_marked() -> None:
    assert members("ServerError") == {"error": "ErrorDetails", "again?": "Deployment"}
    assert members("ErrorDetails")["soc?"] == "string"
    assert {"model", "line", "precision?", "nodes?"} <= set(members("ModelSite"))
    assert members("OverlayNode")["placement"] == "string"
    assert all(field.endswith("?") for field in members("AgentBudget"))
    assert members("DeployArguments")["model"] == "string"
    assert members("DeployArguments")["allowCpu?"] == "boolean"


def test_every_reason_of_the_editor_for_no_reply_has_its_sentence() -> None:
    assert set(members("LlmError")["kind"].replace('"', "").split(" | ")) == {*_WORDS, "failed"}
