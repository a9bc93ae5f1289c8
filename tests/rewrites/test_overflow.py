"""Patterns that leave fp16's range are found and rewritten: useless numbers before, good ones after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from aipc.core.child_process import run_isolated
from aipc.numerics.cpu import run_cpu
from aipc.numerics.metrics import sqnr_db
from aipc.qairt.session import open_session
from aipc.qairt.soc import get_soc
from aipc.rewrites.proofs import Trigger
from aipc.rewrites.rule import Example

from .harness import Captured, capture, deploy

LARGE = {"x": "torch.randn(2, 64) * 900"}
PATTERNS = {
    "a large sum": Example("x.sum(-1) / 4096", {"x": "torch.rand(2, 4096) * 30 + 30"}),
    "the deviation of large values": Example("x.std(-1)", LARGE),
    "a norm of large values": Example("F.normalize(x, dim=-1)", LARGE),
    "a root mean square of large values": Example("x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)", LARGE),
    "softmax without its maximum": Example(
        "torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)", {"x": "torch.rand(2, 16) * 14"}
    ),
    "a logarithm of a sum of exponentials": Example("torch.logsumexp(x, -1)", {"x": "torch.randn(2, 16) * 40"}),
    "an exponential of a large negative": Example("torch.exp(-x * x)", {"x": "torch.linspace(-30, 30, 96)"}),
    "a large divisor": Example("x / (1 + x.abs())", {"x": "torch.linspace(-6e4, 6e4, 96)"}),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_it_is_rewritten_to_what_fp16_holds(name: str, tmp_path: Path) -> None:
    captured = capture(PATTERNS[name])
    _, result = deploy(captured, Trigger.COARSE, "sm8650", tmp_path)
    assert result.changed, result.refused
    assert simulated_db(captured, tmp_path / "captured.onnx", tmp_path) < 20
    assert simulated_db(captured, tmp_path / "out" / "model.onnx", tmp_path) > 50


def simulated_db(captured: Captured, path: Path, directory: Path) -> float:
    """The first output on the simulator against the captured graph in fp32."""
    reference = directory / "reference.onnx"
    ir.save(captured.model, reference)
    expected = next(iter(run_cpu(reference, captured.inputs).values()))
    outcome = run_isolated(_simulated, path, captured.inputs, seconds=120.0)
    assert outcome.value is not None, outcome.reason
    return sqnr_db(expected, outcome.value)


def _simulated(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    session = open_session(path, get_soc("sm8650"), verbose=False)
    return np.asarray(session.run(None, inputs)[0])


def test_a_mask_of_minus_a_billion_needs_no_rewrite(tmp_path: Path) -> None:
    example = Example(
        "(x @ x.transpose(-1, -2)).masked_fill(m, -1e9).softmax(-1)",
        {"x": "float32[1,2,8,16]", "m": "torch.ones(8, 8).triu(1).bool()"},
    )
    captured = capture(example)
    path = tmp_path / "captured.onnx"
    ir.save(captured.model, path)
    assert simulated_db(captured, path, tmp_path) > 45
