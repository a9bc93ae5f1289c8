"""A model deployed in integers: calibrated, quantized, judged on data that did not calibrate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.core.errors import InputError, StorageError
from aipc.core.types import DeployReport, Severity
from aipc.pipeline.package import read_manifest
from aipc.qairt.soc import all_socs, float_soc, get_soc

DATA = """
import torch


def samples():
    generator = torch.Generator().manual_seed(5)
    for _ in range(14):
        yield torch.rand(3, 16, 16, generator=generator), 0


def brightest(references, actuals):
    name = next(iter(references[0]))
    return sum(float(a[name].argmax() == b[name].argmax()) for a, b in zip(references, actuals)) / len(references)
"""


@pytest.fixture(scope="module")
def data(project: Path) -> Path:
    (project / "data.py").write_text(DATA)
    return project


@pytest.fixture(scope="module")
def integers(data: Path, pool, own_cache) -> DeployReport:
    request = engine.DeployRequest("model.py:Small", soc="qcs6490", calibration="data.py:samples", cwd=data)
    return engine.deploy(request, pool)


def test_without_fp16_and_without_data_one_sentence_says_what_is_needed(data, pool):
    with pytest.raises(InputError) as caught:
        engine.deploy(engine.DeployRequest("model.py:Small", soc="qcs6490", cwd=data), pool)
    assert "no fp16" in caught.value.what
    assert "needs calibration data" in caught.value.what
    assert "--calibration" in caught.value.remedy


def test_a_precision_in_integers_without_data_is_refused(data, pool):
    with pytest.raises(InputError, match="w8a8 for sm8650 needs calibration data"):
        engine.deploy(engine.DeployRequest("model.py:Small", precision="w8a8", cwd=data), pool)


def test_it_is_refused_before_the_graph_is_placed(data, pool):
    stages = []
    with pytest.raises(InputError, match="needs calibration data"):
        engine.deploy(
            engine.DeployRequest("model.py:Small", precision="w8a8", cwd=data),
            pool,
            on_event=lambda event: stages.append(event.stage),
        )
    assert not {"placement", "rewrite", "probes"} & set(stages)


def test_with_data_it_deploys_and_is_judged_on_what_did_not_calibrate(integers):
    assert integers.ok
    assert integers.precision == "w8a16"
    assert integers.placement["cpu"] == integers.placement["fails"] == 0
    notes = {record.name: record.note for record in integers.stages}
    assert notes["calibrate"].startswith("10 samples, 4 held out")
    assert "4 samples that did not calibrate" in notes["verify"]
    assert min(item.sqnr_db for item in integers.accuracy["outputs"]) > 35


def test_the_package_says_how_it_was_quantized(integers):
    manifest = read_manifest(Path(integers.package))
    told = manifest["quantization"]
    assert told["plan"]["activation_bits"] == 16
    assert (told["calibration"]["samples"], told["calibration"]["random"]) == (10, False)
    assert {"x", "map", "mean"} == set(told["encodings"])
    assert told["calibration"]["source"] == "data.py:samples"


def test_the_golden_inputs_are_held_out_data(integers):
    with np.load(Path(integers.package) / "golden" / "inputs.npz") as golden:
        assert golden["x"].shape == (1, 3, 16, 16)
    verified = engine.verify(Path(integers.package))
    assert verified.ok


def test_a_second_deployment_is_from_the_cache(integers, data, pool):
    again = engine.deploy(
        engine.DeployRequest("model.py:Small", soc="qcs6490", calibration="data.py:samples", cwd=data), pool
    )
    cached = {record.name: record.cached for record in again.stages}
    assert cached["calibrate"] and cached["quantize"] and cached["compile"]


def test_random_numbers_are_marked_in_the_manifest_and_the_notes(data, pool):
    request = engine.DeployRequest("model.py:Small", precision="w8a8", calibration="random", cwd=data, integer_io=True)
    report = engine.deploy(request, pool)
    assert report.ok
    assert any("RANDOM NUMBERS" in record.note for record in report.stages)
    manifest = read_manifest(Path(report.package))
    assert manifest["quantization"]["calibration"]["random"]
    # Asked for integers at the border, the package takes reals by name all the same.
    assert manifest["inputs"][0]["encoding"]["dtype"] == "uint8"
    assert json.dumps(manifest)


def test_check_asks_about_the_quantized_graph(data, pool):
    report = engine.check(engine.CheckRequest("model.py:Small", soc="qcs6490", precision="w8a8", cwd=data), pool)
    assert report.placement["npu"] == report.nodes > 0
    assert [item.rule for item in report.findings] == ["no-calibration-data"]
    assert report.findings[0].severity is Severity.INFORMATION


def test_quantize_writes_graph_and_dlc_alone(data, pool, tmp_path):
    request = engine.QuantizeRequest(
        model="model.py:Small",
        precision="w8a8",
        calibration="data.py:samples",
        out=tmp_path / "out",
        dlc=True,
        cwd=data,
    )
    report = engine.quantize(request, pool)
    assert report.ok
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model.onnx", "model.dlc", "quantization.json"}
    assert min(item.sqnr_db for item in report.accuracy) > 25
    (tmp_path / "out" / "mine.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"it holds mine\.txt"):
        engine.quantize(request, pool)
    assert (tmp_path / "out" / "mine.txt").read_text() == "precious"


def test_a_chip_without_fp16_is_judged_in_float_by_its_own_architecture_where_there_is_one():
    assert float_soc(get_soc("qcs6490")).htp_arch == 68
    for soc in all_socs():
        stand_in = float_soc(soc)
        assert stand_in.fp16 == "yes"
        assert stand_in == soc or soc.fp16 != "yes"


RECURRENT = """
import torch
from torch import nn


class Keyword(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.gru, self.lstm = nn.GRU(6, 8, batch_first=True), nn.LSTM(8, 8, batch_first=True)

    def forward(self, x, state, length):
        y, state = self.gru(x, state)
        y, _ = self.lstm(y)
        keep = torch.arange(5)[None, :, None] < length[:, None, None]
        return torch.where(keep, y, 0.0), state

    @staticmethod
    def example_inputs():
        return torch.rand(1, 5, 6), torch.rand(1, 1, 8), torch.tensor([4])


class Cache(nn.Module):
    def forward(self, cache, position, row):
        cache = cache.clone()
        cache[:, :, position] = row
        return cache * 2

    @staticmethod
    def example_inputs():
        return torch.rand(1, 2, 6, 4), torch.tensor([3]), torch.rand(1, 2, 1, 4)


def speech():
    generator = torch.Generator().manual_seed(5)
    for number in range(14):
        x = torch.rand(1, 5, 6, generator=generator)
        yield {"x": x, "state": torch.rand(1, 1, 8, generator=generator), "length": torch.tensor([1 + number % 5])}


def rows():
    generator = torch.Generator().manual_seed(5)
    for number in range(14):
        cache, row = torch.rand(1, 2, 6, 4, generator=generator), torch.rand(1, 2, 1, 4, generator=generator)
        yield {"cache": cache, "position": torch.tensor([number % 6]), "row": row}
"""


@pytest.mark.parametrize(
    ("name", "samples"), [pytest.param("Keyword", "speech", marks=pytest.mark.slow), ("Cache", "rows")]
)
def test_recurrent_layers_choices_and_cache_updates_run_where_there_are_integers_only(
    data: Path, pool, own_cache, name, samples
):
    (data / "recurrent.py").write_text(RECURRENT)
    request = engine.DeployRequest(
        f"recurrent.py:{name}", soc="qcs6490", calibration=f"recurrent.py:{samples}", cwd=data
    )
    report = engine.deploy(request, pool)
    assert report.ok, [finding.message for finding in report.findings]
    assert report.placement["cpu"] == report.placement["fails"] == 0
    assert min(item.sqnr_db for item in report.accuracy["outputs"]) > 30
