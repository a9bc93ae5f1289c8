"""An edit is proved where its numbers are those of the original: at once, or behind what undoes the difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import torch

from aipc.rewrites.edits import prove_edit
from aipc.rewrites.proofs import Proof
from aipc.rewrites.rule import Example

from .harness import capture

NORMALIZED = "F.layer_norm(torch.exp({}), (8,)) * 3"


def proof(before: str, after: str, directory: Path) -> Proof:
    for name, text in (("before", before), ("after", after)):
        model = capture(Example(text, {"x": "float32[2,4,8]"})).model
        ir.save(model, directory / f"{name}.onnx")
    torch.manual_seed(1)
    np.savez(directory / "inputs.npz", x=torch.rand(2, 4, 8).numpy())
    paths = {name: str(directory / f"{name}.onnx") for name in ("before", "after")}
    return prove_edit(lambda event: None, **paths, inputs=str(directory / "inputs.npz"), soc="sm8650", rules=())


def test_a_shift_that_a_normalization_undoes_is_proved_with_it(tmp_path: Path) -> None:
    result = proof(NORMALIZED.format("x"), "F.layer_norm(torch.exp(x) - 1, (8,)) * 3", tmp_path)
    assert result.ok, result.failed
    assert result.checks[-1].name == "equal as a whole"


def test_a_difference_that_nothing_undoes_is_refused_where_it_arises(tmp_path: Path) -> None:
    result = proof(NORMALIZED.format("x"), NORMALIZED.format("x * 1.01"), tmp_path)
    assert result.failed is not None
    assert result.failed.name == "equal on true inputs"
    assert min(item.sqnr_db for item in result.failed.figures) < 60
