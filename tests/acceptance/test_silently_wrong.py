"""Operators that compile for the NPU and answer wrongly are rewritten or found, with the line that made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import aipc
from .marked import write

pytestmark = pytest.mark.slow

CURED = {
    "replicate padding": (
        'def forward(self, x):\n    return «F.pad(x, (2, 2, 2, 2), mode="replicate")»',
        "(torch.randn(1, 3, 16, 16),)",
    ),
    "linear interpolation of a sequence": (
        'def forward(self, x):\n    return «F.interpolate(x, scale_factor=2, mode="linear")»',
        "(torch.randn(1, 3, 512),)",
    ),
    "trilinear interpolation": (
        'def forward(self, x):\n    return torch.relu(«F.interpolate(x, scale_factor=2, mode="trilinear")»)',
        "(torch.randn(1, 3, 4, 8, 8),)",
    ),
    "average pooling of a volume with padding": (
        "def forward(self, x):\n    return torch.relu(«F.avg_pool3d(x, 3, 2, 1)»)",
        "(torch.randn(1, 3, 4, 8, 8),)",
    ),
}
WRONG = {
    "tan near its poles": (
        "def forward(self, x):\n    return «torch.tan(x)»",
        "(torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)),)",
    ),
    "integers beyond fp16": (
        "def forward(self, x):\n    return «x * 100_003» - 7",
        "(torch.arange(30_000, 30_064, dtype=torch.int32).reshape(8, 8),)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_deploy_stops_and_names_the_line(name: str, tmp_path: Path, cache: Path) -> None:
    body, inputs = WRONG[name]
    file, _, line = write(tmp_path, body, inputs)
    finished = aipc("deploy", f"{file}:Model", "--soc", "sm8650", "--json", cwd=tmp_path, cache=cache)
    assert finished.status == 1, (finished.status, finished.stderr)
    report = finished.report
    assert report["ok"] is False
    failed = [stage for stage in report["stages"] if stage["gate"] and not stage["gate"]["ok"]]
    assert failed, "no gate failed"
    lines = [found["range"]["start"]["line"] for found in report["findings"] if found["range"]]
    assert line in lines, report["findings"]


@pytest.mark.parametrize("name", CURED)
def test_deploy_rewrites_it_and_names_the_line(name: str, tmp_path: Path, cache: Path) -> None:
    body, inputs = CURED[name]
    file, _, line = write(tmp_path, body, inputs)
    finished = aipc("deploy", f"{file}:Model", "--soc", "sm8650", "--json", cwd=tmp_path, cache=cache)
    assert finished.status == 0, (finished.status, finished.stderr)
    assert min(output["sqnr_db"] for output in finished.report["accuracy"]["outputs"]) > 40
    told = {(found["range"]["start"]["line"], found["severity"]) for found in finished.report["findings"]}
    assert told == {(line, "information")}, finished.report["findings"]
