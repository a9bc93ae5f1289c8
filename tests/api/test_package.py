"""Deploying a live module, its report, and calling the package."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import aipc
from aipc.core import types
from aipc.core.errors import AipcError, InputError, PackageError
from aipc.core.plain_data import from_plain

from .conftest import Panorama, image


def test_a_live_module_becomes_a_verified_package(deployed: tuple[Panorama, aipc.DeployReport]) -> None:
    model, report = deployed
    assert report.ok and report.package is not None
    assert report.accuracy is not None and min(item.sqnr_db for item in report.accuracy["outputs"]) > 50
    assert json.loads((Path(report.package) / "manifest.json").read_text())["reference"] == "Panorama"
    assert model.training


def test_the_report_is_the_data_type_that_json_prints(deployed: tuple[Panorama, aipc.DeployReport]) -> None:
    _, report = deployed
    again = from_plain(json.loads(report.to_json()), types.DeployReport)
    assert again == types.DeployReport(**{name: getattr(report, name) for name in types.DeployReport.__slots__})
    assert "verified" in str(report) and repr(report).startswith("<DeployReport Panorama for sm8650, fp16")


def test_a_package_answers_tensors_with_tensors_and_arrays_with_arrays(
    deployed: tuple[Panorama, aipc.DeployReport],
) -> None:
    model, report = deployed
    package = report.load()
    x = image(7)
    with torch.no_grad():
        expected = model.eval()(x)
    model.train()
    answer = package(x)
    assert isinstance(answer, torch.Tensor) and torch.allclose(answer, expected, atol=2e-3)
    first, second = package.run([{"image": x.numpy()}, (image(8).numpy(),)])
    assert isinstance(first, np.ndarray) and np.array_equal(first, answer.numpy())
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "'image' is missing"),
        ((1, 2), {}, "2 inputs were given"),
        ((), {"picture": 1}, "no input 'picture'"),
        ((torch.rand(1, 3, 12, 13),), {}, r"shape \[1, 3, 12, 13\]"),
        ((np.zeros((1, 3, 12, 12), complex),), {}, "is complex128"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    deployed: tuple[Panorama, aipc.DeployReport], args: tuple[object, ...], kwargs: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        deployed[1].load()(*args, **kwargs)


def test_a_damaged_package_is_not_loaded(deployed: tuple[Panorama, aipc.DeployReport], tmp_path: Path) -> None:
    with pytest.raises(PackageError):
        aipc.load(tmp_path)
    with pytest.raises(AipcError, match="has no package: verify was not passed"):
        stage = types.StageRecord("verify", 0.1, False, types.Gate("sqnr_db", 1.0, 40.0, False))
        replace(deployed[1], package=None, stages=(stage,)).load()


def test_html_shows_stages_and_accuracy_and_escapes_what_comes_from_outside(
    deployed: tuple[Panorama, aipc.DeployReport],
) -> None:
    shown = replace(deployed[1], model="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown
    assert "verified" in shown and "verify capture" in shown and "not measured (no device)" in shown
    assert f"{deployed[1].accuracy['outputs'][0].sqnr_db:.1f} dB" in shown


def test_an_iterable_of_this_process_calibrates(project: Path) -> None:
    def batches() -> object:
        for seed in range(100):
            yield torch.cat([image(2 * seed), image(2 * seed + 1)]), torch.tensor([0, 1])

    report = aipc.deploy(
        Panorama(), image(), soc="sm8650", precision="w8a16", calibration=batches(), calibration_count=6
    )
    assert report.ok, str(report)
    (note,) = [stage.note for stage in report.stages if stage.name == "calibrate"]
    assert "6 " in note, note


def test_a_tolerance_that_is_missed_is_a_report_and_no_exception(project: Path) -> None:
    report = aipc.deploy(Panorama(), image(), soc="sm8650", tolerance={"sqnr_db": 500})
    assert not report.ok and report.package is None and report.capsule is not None
    assert "gate not passed" in report._repr_html_()
