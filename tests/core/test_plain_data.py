"""Every shared data type survives the way through JSON, and the text is always valid JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from aipc.core.plain_data import dumps, from_plain, loads, to_plain
from aipc.core.types import (
    CheckReport,
    Cut,
    DeployReport,
    Finding,
    Fix,
    Frame,
    Gate,
    NodePlacement,
    Origin,
    OutputAccuracy,
    Placement,
    PlacementReport,
    Position,
    Range,
    Related,
    Severity,
    SourceMap,
    StageRecord,
)

RANGE = Range("m.py", Position(3, 4), Position(3, 9))
FINDING = Finding(
    "einsum",
    Severity.WARNING,
    "stays on the CPU",
    RANGE,
    related=(Related("called here", RANGE),),
    nodes=("a", "b"),
    fixes=(Fix("write it as matmul", "R1", True, ((RANGE, "x @ y"),)),),
    evidence={"sizes": [1, 2]},
)
ACCURACY = OutputAccuracy("y", 1.0, math.inf, 0.0, 0.0, ideal_fp16_sqnr_db=70.5)
VALUES = [
    SourceMap({"node": (Origin((Frame(RANGE, "forward", False),), "model.0"),)}),
    PlacementReport(
        "sm8650", 75, "fp16", "2.51", (NodePlacement("n", "Add", Placement.CPU, "why"),), 1, (Cut("n", 8),)
    ),
    CheckReport("m", "sm8650", "fp16", "2.51", 3, {"npu": 3}, (FINDING,), {"capture": 0.5}),
    DeployReport(
        model="m",
        soc="sm8650",
        precision="fp16",
        target="simulator",
        ok=False,
        stages=(StageRecord("verify", 1.0, False, Gate("sqnr_db", math.inf, 40, True)),),
        package=None,
        placement={"npu": 1},
        accuracy={"simulator": (ACCURACY,)},
        latency=None,
        timings={},
        findings=(FINDING,),
    ),
    Finding("r", Severity.ERROR, "no source", None),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_equal(value):
    assert loads(dumps(value), type(value)) == value
    assert from_plain(to_plain(value), type(value)) == value


def test_infinity_and_nan_are_strings_in_typed_and_untyped_places():
    accuracy = OutputAccuracy("y", math.nan, -math.inf, 0.0, 0.0)
    plain = json.loads(dumps({"a": accuracy, "free": [math.inf]}), parse_constant=pytest.fail)
    assert (plain["a"]["cosine"], plain["a"]["sqnr_db"], plain["free"]) == ("nan", "-inf", ["inf"])
    assert math.isnan(from_plain(plain["a"], OutputAccuracy).cosine)


def test_paths_sets_and_enumerations_have_a_plain_form():
    assert to_plain({"path": Path("a/b"), "set": {2, 1}, "place": Placement.NPU}) == {
        "path": str(Path("a/b")),
        "set": [1, 2],
        "place": "npu",
    }
