"""Python may ask for the values of what no input reaches while a model is traced; of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aipc.capture.jobs import capture
from aipc.core.config import ModelRef
from aipc.numerics.cpu import run_cpu

SOURCE = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("stride", torch.tensor(4))
        self.register_buffer("taken", torch.tensor([True, False, True]))
        self.conv = nn.Conv1d(2, 2, 5)

    def forward(self, x):
        length = torch.tensor(x.shape[-1])
        x = F.pad(x, (0, int(torch.ceil(length / self.stride) * self.stride - length)))
        lengths = torch.full((2,), x.shape[-1])
        if lengths.max().item() > 3 and self.taken.any():
            x = x + self.taken.nonzero().squeeze(1).float().sum()
        for number in torch.arange(3)[self.taken].tolist():
            x = x + number
        return self.conv(x)[..., : int(lengths.min()) - 6]

    @staticmethod
    def example_inputs():
        return torch.linspace(-1, 1, 34).reshape(1, 2, 17)
"""


@pytest.mark.parametrize("strategy", ["one-trace", "two-traces"])
def test_lengths_flags_and_places_that_follow_from_buffers_are_known(
    model_file: Callable[..., ModelRef], tmp_path: Path, strategy: str
) -> None:
    out = tmp_path / "out"
    result = capture(lambda event: None, ref=model_file(SOURCE), out=str(out), strategy=strategy)
    assert result.ok, result.reason
    with np.load(out / "inputs.npz") as inputs, np.load(out / "reference.npz") as reference:
        np.testing.assert_allclose(
            run_cpu(out / "model.onnx", dict(inputs))["output"], reference["output"], rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    "decision",
    ["x.sum() > 0", "(x + self.one).max().item() > 0", "torch.stack([self.one, x.mean()]).any()"],
)
def test_what_an_input_reaches_is_not_known(model_file: Callable[..., ModelRef], tmp_path: Path, decision: str) -> None:
    source = f"""
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("one", torch.tensor(1.0))

        def forward(self, x):
            if {decision}:
                return x * 2
            return x

        @staticmethod
        def example_inputs():
            return torch.ones(1, 4)
    """
    result = capture(lambda event: None, ref=model_file(source), out=str(tmp_path / "out"))
    assert not result.ok
    (finding,) = result.findings
    assert finding.rule == "capture-data-dependent" and finding.range and finding.range.start.line == 13
