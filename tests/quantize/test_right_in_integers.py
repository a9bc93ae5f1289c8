"""Forms that the NPU computes wrongly in 16-bit integers, though right in float, deploy right."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc import engine
from aipc.core.workers import WorkerPool

MODEL = """\
import torch
from torch import nn
import torch.nn.functional as F


class Centroid(nn.Module):
    \"\"\"A weighted sum along the last axis, which goes.\"\"\"

    def forward(self, x):
        return (x * torch.linspace(0, 1, 24)).sum(-1)


class Pooled(nn.Module):
    \"\"\"A mean over two axes, one of them of size one, behind a convolution over one axis.\"\"\"

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv1d(24, 16, 1)

    def forward(self, x):
        return F.adaptive_avg_pool1d(torch.relu(self.layer(x.transpose(1, 2))), 1)


class Magnitude(nn.Module):
    def forward(self, x):
        return x.norm(dim=-1)


class Spectrum(nn.Module):
    def forward(self, x):
        window = torch.hann_window(64)
        return torch.view_as_real(torch.stft(x.flatten(1), 64, 32, window=window, return_complex=True))


def samples():
    torch.manual_seed(1)
    return [(torch.rand(1, 40, 24),) for _ in range(8)]


for kind in (Centroid, Pooled, Magnitude, Spectrum):
    kind.example_inputs = lambda self: samples()[0]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("integers")
    (folder / "model.py").write_text(MODEL)
    return folder


@pytest.fixture(scope="module")
def pool():
    with WorkerPool() as pool:
        yield pool


@pytest.mark.parametrize("name", ["Centroid", "Pooled", "Magnitude", "Spectrum"])
def test_a_sum_that_the_npu_gets_wrong_in_integers_is_deployed_in_another_form(
    project: Path, pool: WorkerPool, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path / "cache"))
    request = engine.DeployRequest(
        f"model.py:{name}",
        soc="qcs6490",
        precision="w8a16",
        calibration="model.py:samples",
        cwd=project,
        out=tmp_path / "package",
        probes="none",
    )
    report = engine.deploy(request, pool)
    assert report.ok, report.stages[-1]
    assert min(item.sqnr_db for item in report.accuracy["outputs"]) > 30
