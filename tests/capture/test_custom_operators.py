"""Operators that a program registers are captured by their bodies, and what leaves PyTorch is reported at its line."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from aipc.capture.capture_result import CaptureResult
from aipc.capture.jobs import capture, verify_capture
from aipc.core.config import ModelRef

ModelFile = Callable[..., ModelRef]
_COUNT = itertools.count()

OPERATORS = """
import numpy as np


@torch.library.custom_op("aipc_test::gate", mutates_args=())
def gate(x: torch.Tensor, scale: float = 2.0) -> torch.Tensor:
    result = torch.empty_like(x)
    result.copy_(x * torch.sigmoid(scale * x))
    return result


@gate.register_fake
def _(x, scale=2.0):
    return torch.empty_like(x)


@torch.library.custom_op("aipc_test::outside", mutates_args=())
def outside(x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.tanh(x.numpy()))


@outside.register_fake
def _(x):
    return torch.empty_like(x)


library = torch.library.Library("aipc_test", "FRAGMENT")
library.define("cube(Tensor x) -> Tensor")
library.impl("cube", lambda x: x * x * x, "CPU")


@torch.library.register_fake("aipc_test::cube")
def _(x):
    return torch.empty_like(x)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        y = self.layer(x)
        return EXPRESSION

    @staticmethod
    def example_inputs():
        return (torch.rand(2, 4),)
"""


def captured(model_file: ModelFile, directory: Path, expression: str) -> CaptureResult:
    # Operators stay registered: each model has a namespace of its own.
    namespace = f"aipc_test_{next(_COUNT)}"
    ref = model_file(OPERATORS.replace("EXPRESSION", expression).replace("aipc_test", namespace))
    return capture(lambda event: None, ref=ref, out=str(directory / "out"))


def test_the_body_of_a_registered_operator_is_captured(model_file: ModelFile, tmp_path: Path) -> None:
    result = captured(model_file, tmp_path, "gate(y, 3.0) + torch.ops.aipc_test.cube(y)")
    assert result.ok, result.findings
    accuracy = verify_capture(lambda event: None, directory=str(tmp_path / "out"))
    assert min(output.sqnr_db for output in accuracy) >= 100


def test_a_body_in_numpy_is_reported_at_its_line(model_file: ModelFile, tmp_path: Path) -> None:
    finding = captured(model_file, tmp_path, "outside(y)").findings[0]
    assert finding.rule == "capture-data-dependent" and "leaves PyTorch" in finding.message
    assert finding.range is not None
    line = Path(finding.range.file).read_text().splitlines()[finding.range.start.line - 1]
    assert "np.tanh(x.numpy())" in line
