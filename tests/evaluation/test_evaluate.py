"""A package and PyTorch on labelled data: side by side, bounded, resumed after a kill."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.core.errors import InputError, MissingDependencyError
from aipc.evaluation.evaluation_report import EvaluationReport
from aipc.report.evaluation import render_evaluation

MODEL = """\
import time
from pathlib import Path

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.head = nn.Linear(8, 5)

    def forward(self, image):
        return self.head(torch.relu(self.conv(image)).mean(dim=(2, 3)))

    @staticmethod
    def example_inputs():
        return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Data(torch.utils.data.Dataset):
    \"\"\"Labels are PyTorch's own answers; those of even numbers are wrong.\"\"\"

    def __init__(self):
        self.model = Classifier().eval()

    def __len__(self):
        return 100

    def __getitem__(self, number):
        image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(number))
        label = int(self.model(image).argmax())
        return image, (label + 1) % 5 if number % 2 == 0 else label


def share_of_first(outputs, target):
    return float(outputs["output"].argmax() == target)


def failing(outputs, target):
    return 1 / 0
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text("[tool.aipc]\n")
    (folder / "model.py").write_text(MODEL)
    report = engine.deploy(engine.DeployRequest("model.py:Classifier", cwd=folder, probes="none"))
    assert report.package
    return Path(report.package)


@pytest.fixture(scope="module")
def evaluated(package: Path) -> EvaluationReport:
    return engine.evaluate(
        engine.EvaluationRequest(package=package, data="model.py:Data", metric="top-1", count=12, worst=3)
    )


def test_the_sample_is_bounded_and_both_are_measured_with_intervals(evaluated: EvaluationReport) -> None:
    scores = evaluated.scores
    assert (scores.samples, evaluated.total, evaluated.reference) == (12, 100, "PyTorch")
    assert scores.reference == scores.package and scores.difference == 0.0
    assert scores.reference_interval[0] < scores.reference < scores.reference_interval[1]
    drawn = list(range(100))
    random.Random(0).shuffle(drawn)
    assert scores.reference == sum(number % 2 for number in drawn[:12]) / 12


def test_the_outputs_beside_the_package_s_are_pytorch_s_own(evaluated: EvaluationReport, package: Path) -> None:
    import torch

    namespace: dict[str, object] = {}
    exec(compile(MODEL, "model.py", "exec"), namespace)
    model = namespace["Classifier"]().eval()  # type: ignore[operator]
    for inputs in sorted(Path(evaluated.directory).glob("samples/*/[0-9]*.reference.npz"))[:3]:
        image = np.load(inputs.with_name(inputs.name.replace(".reference", "")))["image"]
        with torch.no_grad():
            assert np.array_equal(np.load(inputs)["output"], model(torch.from_numpy(image)).numpy())
        output = np.load(inputs.with_name(f"output-{inputs.name.replace('.reference', '')}"))["output"]
        assert 0 < np.abs(output - np.load(inputs)["output"]).max() < 1e-2, "the package computes in fp16"


def test_the_page_shows_the_worst_samples_as_pictures(evaluated: EvaluationReport) -> None:
    page = (Path(evaluated.directory) / "evaluation.html").read_text("utf-8")
    assert page.count("data:image/png;base64,iVBOR") == 3
    assert "12 of 100 samples" in page and 'src="http' not in page
    assert evaluated.scores.worst[0].package == 0.0, "the wrong labels come first"


def test_the_page_says_how_the_samples_were_chosen_and_where_the_package_is_worse(evaluated: EvaluationReport) -> None:
    page = render_evaluation(evaluated)
    assert "12 of 100 samples, drawn with seed 0: model.py:Data (100 items)" in page
    assert "worse than PyTorch on none of the samples" in page
    assert "The first 12 samples" in render_evaluation(dataclasses.replace(evaluated, total=None))
    assert "All 12 samples" in render_evaluation(dataclasses.replace(evaluated, total=12))
    loss = dataclasses.replace(evaluated.scores.worst[0], reference=1.0, package=0.0)
    for more_is_better in (True, False):
        scores = dataclasses.replace(evaluated.scores, worst=(loss,), more_is_better=more_is_better)
        page = render_evaluation(dataclasses.replace(evaluated, scores=scores))
        assert ('<span class="bad">package 0' in page) == more_is_better
        assert ("on none of the samples" in page) != more_is_better


def test_prepared_data_needs_no_preprocessing_and_a_library_that_lacks_is_named_as_pip_does(package: Path) -> None:
    root = package.parents[2]
    (root / "pictures.py").write_text("def prepared(image):\n    return image.convert('RGB')\n")
    (root / "lacks.py").write_text("import sklearn_no_such\n")
    request = engine.EvaluationRequest(
        package=package, data="model.py:Data", metric="top-1", count=1, preprocess="pictures.py:prepared"
    )
    with pytest.raises(InputError, match=r"pictures.py:prepared of sample 1 raised AttributeError") as caught:
        engine.evaluate(request)
    assert "--preprocess none" in caught.value.remedy
    assert engine.evaluate(dataclasses.replace(request, preprocess="none")).scores.samples == 1
    with pytest.raises(MissingDependencyError, match="'sklearn_no_such' is imported here"):
        engine.evaluate(dataclasses.replace(request, data="lacks.py:Data"))


def test_a_metric_of_the_author_is_measured_and_its_error_stands_at_its_line(
    evaluated: EvaluationReport, package: Path
) -> None:
    request = engine.EvaluationRequest(
        package=package, data="model.py:Data", metric="model.py:share_of_first", count=12
    )
    again = engine.evaluate(request)
    assert again.directory == evaluated.directory, "the outputs are taken from the evaluation before"
    assert again.scores.reference == evaluated.scores.reference
    bad = engine.EvaluationRequest(package=package, data="model.py:Data", metric="model.py:failing", count=12)
    with pytest.raises(InputError, match="raised ZeroDivisionError") as caught:
        engine.evaluate(bad)
    assert caught.value.range and MODEL.splitlines()[caught.value.range.start.line - 1].strip() == "return 1 / 0"


@pytest.mark.parametrize(
    ("data", "metric", "words"),
    [
        ("nothing", "top-1", "nothing is no labelled data"),
        ("model.py:Data", "top-2", "there is no metric 'top-2'"),
        ("flat", "top-1", "the pictures in .*flat have no class"),
        ("bare.npz", "top-1", "has no array target"),
        ("uneven.npz", "top-1", "has 2 rows of image and 3 of target"),
    ],
)
def test_what_does_not_fit_says_what_to_give(package: Path, data: str, metric: str, words: str) -> None:
    root = package.parents[2]
    (root / "flat").mkdir(exist_ok=True)
    (root / "flat" / "a.png").touch()
    np.savez(root / "bare.npz", image=np.zeros((1, 3, 16, 16), np.float32))
    np.savez(root / "uneven.npz", image=np.zeros((2, 1, 3, 16, 16), np.float32), target=np.zeros(3, int))
    with pytest.raises(InputError, match=words) as caught:
        engine.evaluate(engine.EvaluationRequest(package=package, data=data, metric=metric, count=1))
    assert caught.value.remedy


def test_an_unknown_metric_or_decoder_is_refused_before_anything_is_run(package: Path) -> None:
    for options in ({"metric": "top-2"}, {"metric": "top-1", "decode": "model.py:no_such"}):
        stages: list[str] = []
        with pytest.raises(InputError):
            engine.evaluate(
                engine.EvaluationRequest(package=package, data="model.py:Data", count=9, seed=77, **options),
                on_event=lambda event, stages=stages: stages.append(event.message),
            )
        assert not any("sample" in message for message in stages)


def test_a_folder_of_classes_and_an_array_file_are_labelled_data(package: Path, tmp_path: Path) -> None:
    from PIL import Image

    for number, name in enumerate(["cat", "dog"]):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20), (90 * number, 50, 50)).save(tmp_path / "pictures" / name / "1.png")
    request = engine.EvaluationRequest(package=package, data=str(tmp_path / "pictures"), metric="top-5", worst=4)
    report = engine.evaluate(request)
    assert report.data_words.startswith("2 pictures of 2 classes in pictures")
    assert sorted(item.target for item in report.scores.worst) == ["0", "1"]
    assert report.scores.package == 1.0, "of five classes, each is among the first five"
    arrays = tmp_path / "data.npz"
    np.savez(arrays, image=np.random.default_rng(0).random((3, 1, 3, 16, 16), np.float32), target=np.array([0, 1, 2]))
    assert engine.evaluate(engine.EvaluationRequest(package=package, data=str(arrays), metric="top-5")).total == 3


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_where_it_was(package: Path) -> None:
    root = package.parents[2]
    command = [sys.executable, "-m", "aipc", "evaluate", str(package), "--data", "model.py:Data", "--count", "40"]
    earlier = set(root.glob(".aipc/evaluations/*"))
    first = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (
        done := [path for path in root.glob(".aipc/evaluations/*/samples/001/done") if path.parents[2] not in earlier]
    ):
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    times = {path: path.stat().st_mtime_ns for path in done}
    again = subprocess.run([*command, "--json"], cwd=root, capture_output=True, text=True, check=True, timeout=200)
    assert json.loads(again.stdout)["scores"]["samples"] == 40
    assert {path: path.stat().st_mtime_ns for path in done} == times
    assert len(list(done[0].parents[1].glob("*/done"))) == 5
