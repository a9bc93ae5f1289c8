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
from aipc.rewrites.rule import Example
from aipc.rewrites.rules.unfused_activation import RULE

from .harness import Captured, apply, capture

FUSED_DB, APART_DB = 53.0, 60.0


def simulated_sqnr_db(model: ir.Model, captured: Captured, soc: str, directory: Path) -> float:
    path = directory / "model.onnx"
    ir.save(model, str(path))
    feeds: dict[str, np.ndarray[Any, Any]] = captured.inputs
    name = model.graph.outputs[0].name or ""
    expected = run_session(open_cpu(path, optimize=False), feeds)[name]
    actual = run_session(open_session(path, get_soc(soc), verbose=False), feeds)[name]
    return sqnr_db(expected, actual)


@pytest.mark.parametrize("soc", ["sm8550", "sm8650", "sm8750"])
@pytest.mark.parametrize("example", [RULE.before, *RULE.more], ids=lambda item: item.model)
def test_an_activation_kept_apart_is_as_near_as_fp16_allows(example: Example, soc: str, tmp_path: Path) -> None:
    captured = capture(example)
    assert simulated_sqnr_db(captured.model, captured, soc, tmp_path) < FUSED_DB
    model, applied = apply(captured, RULE)
    assert [item.rule for item in applied.applications] == [RULE.code]
    assert simulated_sqnr_db(model, captured, soc, tmp_path) > APART_DB
