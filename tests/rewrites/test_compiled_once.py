"""A graph in which nothing is rewritten is not compiled a second time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from aipc.core.types import Event
from aipc.rewrites.jobs import rewrite
from aipc.rewrites.rule import Example

from .harness import capture


@pytest.mark.parametrize("compiled", [True, False])
def test_qairt_is_asked_again_only_where_it_did_not_compile_the_graph(compiled: bool, tmp_path: Path) -> None:
    captured = capture(Example("torch.relu(x) + 1", {"x": "float32[1,4]"}))
    ir.save(captured.model, tmp_path / "model.onnx")
    np.savez(tmp_path / "inputs.npz", **captured.inputs)  # type: ignore[arg-type]
    events: list[Event] = []
    result = rewrite(
        events.append,
        model=str(tmp_path / "model.onnx"),
        inputs=str(tmp_path / "inputs.npz"),
        soc="sm8650",
        off=[],
        triggers=[],
        out=str(tmp_path),
        full=True,
        compiled=compiled,
    )
    assert not result.changed
    assert (result.placement is None) == compiled
    assert any("asking QAIRT" in event.message for event in events) != compiled
