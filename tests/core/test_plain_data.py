"""Every shared data type survives the way through JSON, and the text is always valid JSON."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import cattrs
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


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.25, -0.25, 0.0, 3.0])
def test_a_float_comes_back_with_its_sign_and_size(value):
    accuracy = OutputAccuracy("y", value, value, 0.0, 0.0, ideal_fp16_sqnr_db=value)
    back = loads(dumps(accuracy), OutputAccuracy)
    assert (back.cosine, back.sqnr_db, back.ideal_fp16_sqnr_db) == (value, value, value)


def test_no_float_stays_none_and_an_integer_becomes_a_float():
    plain = to_plain(OutputAccuracy("y", 1.0, 2.0, 0.0, 0.0)) | {"sqnr_db": 2}
    back = from_plain(plain, OutputAccuracy)
    assert back.ideal_fp16_sqnr_db is None
    assert isinstance(back.sqnr_db, float)


def test_text_where_a_number_belongs_and_a_missing_field_are_refused():
    plain = to_plain(OutputAccuracy("y", 1.0, 2.0, 0.0, 0.0))
    with pytest.raises(cattrs.BaseValidationError):
        from_plain(plain | {"sqnr_db": "much"}, OutputAccuracy)
    with pytest.raises(cattrs.BaseValidationError):
        from_plain({"name": "y"}, OutputAccuracy)


def test_untyped_containers_are_plain_at_every_depth():
    plain = to_plain({1: (math.nan, {"deep": [-math.inf, frozenset({"b", "a"})]}), "kept": [True, None, 2, "ä"]})
    assert plain == {"1": ["nan", {"deep": ["-inf", ["a", "b"]]}], "kept": [True, None, 2, "ä"]}


def test_a_set_of_mixed_types_has_one_order():
    assert to_plain({"a", 3, 1.5}) == [1.5, 3, "a"]


def test_the_text_is_indented_by_two_and_keeps_letters_and_the_order_of_fields():
    assert dumps({"name": "ä😀", "a": 1}) == '{\n  "name": "ä😀",\n  "a": 1\n}'
    assert dumps({"name": "ä", "a": 1}, indent=None) == '{"name": "ä", "a": 1}'
    assert list(json.loads(dumps(ACCURACY))) == [
        "name",
        "cosine",
        "sqnr_db",
        "max_abs",
        "max_rel",
        "nan",
        "inf",
        "ideal_fp16_sqnr_db",
    ]
    with pytest.raises(TypeError):
        dumps({}, None)  # type: ignore[misc]  # the indent is given by its name only


def test_the_converter_is_built_once_and_not_loaded_at_import():
    program = "import sys, aipc.core.plain_data as p; assert 'cattrs' not in sys.modules; p.to_plain(1); "
    program += "assert 'cattrs' in sys.modules; assert p._converter() is p._converter()"
    subprocess.run([sys.executable, "-c", program], check=True)
