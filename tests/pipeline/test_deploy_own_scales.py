"""Models that are quantized already: verified packages with their own scales, whatever precision is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from aipc import engine
from aipc.capture.load import import_file
from aipc.core.types import DeployReport
from aipc.pipeline.package import read_manifest

MODEL = """
import torch
import torch.ao.quantization as tq
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.quant, self.dequant = tq.QuantStub(), tq.DeQuantStub()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()
        self.last = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        return self.dequant(self.last(self.relu(self.norm(self.conv(self.quant(x))))))


def trained(backend="qnnpack"):
    model = Net().train()
    model.qconfig = tq.get_default_qat_qconfig(backend)
    model = tq.prepare_qat(tq.fuse_modules_qat(model, [["conv", "norm", "relu"]]))
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        model(torch.randn(2, 3, 12, 12, generator=generator))
    return model


def example_inputs():
    return (torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(2)),)


class PT2E(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.last = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x):
        return self.last(torch.relu(self.conv(x)).mean((2, 3)))


def converted():
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e
    from torchao.testing.pt2e._xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config

    program = torch.export.export(PT2E().train(), example_inputs()).module()
    config = get_symmetric_quantization_config(is_per_channel=True, is_qat=True)
    prepared = prepare_qat_pt2e(program, XNNPACKQuantizer().set_global(config))
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        prepared(torch.randn(1, 3, 12, 12, generator=generator))
    return convert_pt2e(prepared)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with models of quantization-aware training."""
    root = tmp_path_factory.mktemp("trained")
    (root / "qat.py").write_text(MODEL)
    table = '[tool.aipc.models.{0}]\nentry = "qat.py:{0}"\ninputs = "qat.py:example_inputs"\n'
    (root / "pyproject.toml").write_text("[tool.aipc]\n" + table.format("trained") + table.format("converted"))
    return root


@pytest.fixture(scope="module")
def eager(trained: Path, pool, own_cache) -> DeployReport:
    """Without calibration data and without a precision, for an NPU without fp16."""
    return engine.deploy(engine.DeployRequest("trained", soc="qcs6490", cwd=trained), pool)


def test_fake_quantization_of_training_is_deployed_without_data(eager: DeployReport) -> None:
    assert eager.ok
    assert eager.precision == "w8a8"
    assert eager.placement["cpu"] == eager.placement["fails"] == 0
    note = next(record.note for record in eager.stages if record.name == "quantize")
    assert note.startswith("the model is quantized already, to w8a8: its own scales are deployed, and --precision fp16")


def test_the_package_has_the_scales_that_training_left(eager: DeployReport, trained: Path) -> None:
    encodings = read_manifest(Path(eager.package))["quantization"]["encodings"]
    found = {round(item["scale"], 7) for item in encodings.values()}
    model = import_file(trained / "qat.py").trained()
    activations = [
        part for part in model.modules() if hasattr(part, "activation_post_process") and hasattr(part, "scale")
    ]
    left = {round(float(part.scale), 7) for part in activations if part.activation_post_process.dtype == torch.quint8}
    assert len(left) == 3
    # The package tells what its inputs and outputs are stored as.
    assert found < left and len(found) == 2


@pytest.mark.slow
@pytest.mark.parametrize("soc", ["sm8650", "qcs6490"])
@pytest.mark.parametrize("precision", ["fp16", "w8a16"])
def test_a_converted_program_of_pt2e_is_deployed(trained: Path, pool, own_cache, soc: str, precision: str) -> None:
    report = engine.deploy(engine.DeployRequest("converted", soc=soc, precision=precision, cwd=trained), pool)
    assert report.ok
    assert report.precision == "w8a8"


@pytest.mark.parametrize("soc", ["sm8650", pytest.param("qcs6490", marks=pytest.mark.slow)])
def test_a_graph_with_scales_is_not_quantized_twice(tmp_path: Path, pool, own_cache, soc: str) -> None:
    from tests.quantize.test_take_out_scales import quantized_model

    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\n")
    onnx.save(quantized_model(), str(tmp_path / "model.onnx"))
    report = engine.deploy(engine.DeployRequest("model.onnx", soc=soc, precision="w8a16", cwd=tmp_path), pool)
    assert report.ok
    assert report.precision == "w8a8"
    encodings = read_manifest(Path(report.package))["quantization"]["encodings"]
    assert np.isclose(encodings["image"]["scale"], 0.02) and encodings["image"]["zero_point"] == 128
