"""What the compiler fuses with a coarse activation is as near as fp16 allows once it is kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from aipc.numerics.cpu import open_cpu, run_session
from aipc.numerics.metrics import sqnr_db
from aipc.qairt.session import open_session
from aipc.qairt.soc import get_soc
from aipc.rewrites.rule import Example, Rule
from aipc.rewrites.rules import unfused_activation, unfused_gelu

from .harness import Captured, apply, capture

FUSED_DB, APART_DB = 54.0, 60.0
SOCS = ("sm8550", "sm8650", "sm8750")
"""v73, v75, v79"""


def simulated_sqnr_db(model: ir.Model, captured: Captured, soc: str, directory: Path) -> float:
    path = directory / "model.onnx"
    ir.save(model, str(path))
    feeds: dict[str, np.ndarray[Any, Any]] = captured.inputs
    name = model.graph.outputs[0].name or ""
    expected = run_session(open_cpu(path, optimize=False), feeds)[name]
    actual = run_session(open_session(path, get_soc(soc), verbose=False), feeds)[name]
    return sqnr_db(expected, actual)


CASES = [
    pytest.param(rule, example, id=example.model)
    for rule in (unfused_activation.RULE, unfused_gelu.RULE)
    for example in (rule.before, *rule.more)
]


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_an_activation_kept_apart_is_as_near_as_fp16_allows(rule: Rule, example: Example, tmp_path: Path) -> None:
    captured = capture(example)
    model, applied = apply(captured, rule)
    assert [item.rule for item in applied.applications] == [rule.code]
    for soc in SOCS:
        assert simulated_sqnr_db(captured.model, captured, soc, tmp_path) < FUSED_DB, soc
        assert simulated_sqnr_db(model, captured, soc, tmp_path) > APART_DB, soc
