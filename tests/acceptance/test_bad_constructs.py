"""What the NPU cannot do is told on the right expression, in words a person understands."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import aipc, text_of
from .marked import write

pytestmark = pytest.mark.slow

BAD = {
    "grid_sample over a volume": (
        "def forward(self, x, grid):\n    return torch.relu(«F.grid_sample(x, grid, align_corners=False)»)",
        "(torch.randn(1, 2, 4, 8, 8), torch.rand(1, 4, 8, 8, 3) * 2 - 1)",
    ),
    "permute of six axes": (
        "def forward(self, x):\n    return torch.relu(«x.permute(0, 3, 1, 4, 2, 5)»)",
        "(torch.randn(1, 2, 3, 4, 5, 6),)",
    ),
    "einsum with two batch axes": (
        'def forward(self, x, y):\n    return torch.relu(«torch.einsum("bmchw,bnmc->bmhwn", x, y)»)',
        "(torch.randn(2, 3, 4, 5, 6), torch.randn(2, 7, 3, 4))",
    ),
    "layer_norm over two axes": (
        "def forward(self, x):\n    return torch.relu(«F.layer_norm(x, (8, 8))»)",
        "(torch.randn(1, 4, 8, 8),)",
    ),
    "fft": (
        "def forward(self, x):\n    return torch.relu(«torch.fft.rfft(x)».abs())",
        "(torch.randn(1, 4, 16),)",
    ),
    "bicubic grid_sample": (
        "def forward(self, x, grid):\n"
        '    return torch.relu(«F.grid_sample(x, grid, mode="bicubic", align_corners=False)»)',
        "(torch.randn(1, 2, 8, 8), torch.rand(1, 8, 8, 2) * 2 - 1)",
    ),
    "circular pad": (
        'def forward(self, x):\n    return torch.relu(«F.pad(x, (1, 1, 1, 1), mode="circular")»)',
        "(torch.randn(1, 2, 8, 8),)",
    ),
    "nonzero": (
        "def forward(self, x):\n    return «x.nonzero()».float() * 2",
        "(torch.randn(4, 4),)",
    ),
    "control flow on a value": (
        "def forward(self, x):\n    if «x.sum() > 0»:\n        return x.relu()\n    return x.tanh()",
        "(torch.randn(4, 4),)",
    ),
    "an operator without ONNX lowering": (
        "def forward(self, x):\n    return torch.relu(«torch.linalg.svdvals(x)»)",
        "(torch.randn(4, 4),)",
    ),
}


# What deploy rewrites by itself. The six axes are the model's own input, which no rewrite may change.
CURED = {
    "grid_sample over a volume",
    "einsum with two batch axes",
    "layer_norm over two axes",
    "fft",
    "bicubic grid_sample",
    "circular pad",
}


@pytest.mark.parametrize("name", BAD)
def test_is_found_on_its_expression(name: str, tmp_path: Path, cache: Path) -> None:
    body, inputs = BAD[name]
    file, expression, line = write(tmp_path, body, inputs)
    finished = aipc("check", f"{file}:Model", "--soc", "sm8650", "--json", cwd=tmp_path, cache=cache)
    assert finished.status == (0 if name in CURED else 1), finished.stderr
    findings = finished.report["findings"]
    assert findings, "nothing was found"
    lines = {found["range"]["start"]["line"] for found in findings}
    assert lines == {line}, [(found["message"], found["range"]) for found in findings]
    covered = [text_of(found) for found in findings]
    assert any(expression in text or text in expression for text in covered), covered
    for found in findings:
        assert (found["severity"] == "information") == (name in CURED)
        assert len(found["message"].split()) >= 4
        assert "MEM_ALLOC" not in found["message"]
        assert found["message"] != "Failed to add node."
