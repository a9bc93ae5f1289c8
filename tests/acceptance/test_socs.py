"""The same model for other chips; a chip without fp16 is told so in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import aipc, text_of
from .marked import write

pytestmark = pytest.mark.slow

CONVOLUTION = """
def __init__(self):
    super().__init__()
    self.conv = nn.Conv2d(3, 8, 3)

def forward(self, x):
    return torch.relu(«self.conv(x)»)
"""
IMAGE = "(torch.randn(1, 3, 16, 16),)"


@pytest.mark.parametrize("soc", ["sm8450", "sm8550", "x-elite", "sm8750", "sm8850"])
def test_deploys_for(soc: str, tmp_path: Path, cache: Path) -> None:
    file, _, _ = write(tmp_path, CONVOLUTION, IMAGE)
    finished = aipc("deploy", f"{file}:Model", "--soc", soc, "--json", cwd=tmp_path, cache=cache)
    assert finished.status == 0, finished.stderr
    report = finished.report
    assert report["ok"] is True
    assert report["soc"] == soc
    assert report["placement"] == {"npu": report["placement"]["npu"], "cpu": 0, "fails": 0}
    assert report["latency"] is None, "no device measured anything"


def test_partial_fp16_names_the_expression_that_fails(tmp_path: Path, cache: Path) -> None:
    # sm8350 takes some operators in fp16 and fails others only when it compiles them; GELU's division is one.
    body = "def forward(self, x):\n    return torch.relu(«F.gelu(x)»)"
    file, expression, line = write(tmp_path, body, "(torch.randn(1, 64, 20, 20),)")
    finished = aipc("check", f"{file}:Model", "--soc", "sm8350", "--json", cwd=tmp_path, cache=cache)
    assert finished.status == 1, finished.stderr
    for found in finished.report["findings"]:
        assert found["range"]["start"]["line"] == line
        assert text_of(found) == expression
        assert "fp16" in found["message"]
        assert "MEM_ALLOC" not in found["message"]
    assert finished.report["placement"]["fails"] > 0


def test_without_fp16_the_check_says_so_on_the_line(tmp_path: Path, cache: Path) -> None:
    # sm8350 has the same architecture but takes some fp16 graphs, this one among them.
    soc = "qcs6490"
    file, _, line = write(tmp_path, CONVOLUTION, IMAGE)
    finished = aipc("check", f"{file}:Model", "--soc", soc, "--json", cwd=tmp_path, cache=cache)
    assert finished.status == 1, finished.stderr
    found = [item for item in finished.report["findings"] if item["range"]["start"]["line"] == line]
    assert found, finished.report["findings"]
    assert any("fp16" in item["message"] for item in found)
    assert all("MEM_ALLOC" not in item["message"] for item in finished.report["findings"])
    assert any("conv" in text_of(item) for item in found)
