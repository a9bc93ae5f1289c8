"""Calibration data: every source, the author's preprocessing, and data that is no use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aipc.core.config import ModelRef
from aipc.core.errors import InputError
from aipc.core.types import TensorSpec
from aipc.core.workers import WorkerPool
from aipc.numerics.npz import read_npz
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.calibrate import tensor_statistics
from aipc.quantize.calibrate.histogram import Histogram
from aipc.quantize.quantization_results import CalibrationSet

from .graphs import random_samples, save_graph, silent

IMAGE = TensorSpec("x", "float32", (1, 3, 8, 12))
LOADERS = """
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class Pairs(Dataset):
    def __len__(self):
        return 20

    def __getitem__(self, index):
        return torch.full((3, 8, 12), float(index)) + torch.arange(12.0), index % 2


batches = DataLoader(Pairs(), batch_size=4)


def stream():
    for index in range(20):
        yield {"x": np.random.rand(1, 3, 8, 12).astype(np.float32)}


def few():
    for index in range(6):
        yield np.arange(288.0).reshape(3, 8, 12) + index


def endless():
    index = 0
    while True:
        yield np.arange(288.0).reshape(3, 8, 12) + index
        index += 1


def breaks():
    for index in range(20):
        if index == 6:
            raise OSError("the disk is gone")
        yield np.random.rand(3, 8, 12)


def nothing():
    return []


def halved(item):
    return np.asarray(item.resize((12, 8)), np.float32).transpose(2, 0, 1) / 510
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data.py").write_text(LOADERS)
    return tmp_path


def prepare(pool: WorkerPool, root: Path, source: str, **options: object) -> CalibrationSet:
    ref = ModelRef("model", "python", root / "data.py", None, None, None, root)
    arguments = {"preprocess": None, "count": 8, "held_out": 3, "seed": 0, "inputs": (IMAGE,)} | options
    arguments |= {"ref": ref, "source": source, "out": str(root / "out")}
    result: CalibrationSet = pool.run(quantize_jobs.PREPARE, arguments)
    return result


def samples(result: CalibrationSet, kind: str) -> list[np.ndarray]:
    return [read_npz(path)["x"] for path in sorted((Path(result.directory) / kind).glob("*.npz"))]


@pytest.mark.parametrize("source", ["data.py:Pairs", "data.py:batches", "data.py:stream"])
def test_datasets_loaders_and_generators(pool, project, source):
    result = prepare(pool, project, source)
    assert (result.samples, result.held_out, result.random) == (8, 3, False)
    kept, apart = samples(result, "calibration"), samples(result, "held-out")
    assert {item.shape for item in kept + apart} == {IMAGE.shape}
    assert not any(np.array_equal(one, other) for one in kept for other in apart), "no sample is both"


@pytest.mark.parametrize(("source", "kept"), [("data.py:few", (4, 2)), ("data.py:endless", (8, 3))])
def test_nothing_that_is_held_out_calibrates_whatever_a_generator_has(pool, project, source, kept):
    result = prepare(pool, project, source)
    assert (result.samples, result.held_out) == kept
    calibrating, apart = ({float(item.max()) for item in samples(result, kind)} for kind in ("calibration", "held-out"))
    assert (len(calibrating), len(apart)) == kept
    assert not calibrating & apart


def test_the_seed_decides_which_items_of_a_dataset_calibrate(pool, project):
    first, again, other = (prepare(pool, project, "data.py:Pairs", seed=seed).digest for seed in (0, 0, 1))
    assert first == again != other


def test_a_folder_of_pictures_by_default_and_by_the_authors_function(pool, project):
    for number in range(6):
        pixels = np.full((20, 30, 3), 40 * number, np.uint8)
        pixels[:, :15] = 255
        (project / "images").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(project / "images" / f"{number}.png")
    plain = prepare(pool, project, "images")
    assert (plain.samples, plain.held_out) == (4, 2), "too few for what was asked: a quarter is held out"
    assert "the default" in plain.preprocessing
    assert max(item.max() for item in samples(plain, "calibration")) == 1.0
    own = prepare(pool, project, "images", preprocess="data.py:halved")
    assert "data.py:halved" in own.preprocessing
    assert max(item.max() for item in samples(own, "calibration")) == 0.5
    assert (
        max(item.max() for item in samples(prepare(pool, project, "images", preprocess="symmetric"), "calibration"))
        == 1
    )
    assert str(project / "images" / "0.png") in plain.files, "another picture is another result"


def test_array_files(pool, project):
    rows = np.random.default_rng(0).random((12, 3, 8, 12), np.float32)
    np.savez(project / "named.npz", x=rows)
    np.save(project / "bare.npy", rows)
    one, other = (prepare(pool, project, name) for name in ("named.npz", "bare.npy"))
    assert one.digest == other.digest
    assert (one.samples, one.held_out) == (8, 3)


def test_random_numbers_only_by_name_and_marked(pool, project):
    assert prepare(pool, project, "random").random
    with pytest.raises(InputError, match="no calibration data at"):
        prepare(pool, project, "missing")


def saved(project: Path, rows: np.ndarray) -> str:
    np.savez(project / "bad.npz", x=rows.astype(np.float32))
    return "bad.npz"


def test_nan_is_refused_with_its_sample(pool, project):
    rows = np.random.default_rng(0).random((4, 3, 8, 12))
    rows[2, 0, 0, 0] = np.nan
    with pytest.raises(InputError, match=r"sample \d of the calibration data bad.npz holds 1 NaN in 'x'"):
        prepare(pool, project, saved(project, rows))


def test_constant_data_is_refused(pool, project):
    with pytest.raises(InputError, match="every sample of the calibration data is constant"):
        prepare(pool, project, saved(project, np.ones((6, 3, 8, 12))))


def test_empty_data_is_refused(pool, project):
    (project / "empty").mkdir()
    with pytest.raises(InputError, match="no image and no NumPy file"):
        prepare(pool, project, "empty")
    with pytest.raises(InputError, match="is empty"):
        prepare(pool, project, saved(project, np.ones((0, 3, 8, 12))))
    with pytest.raises(InputError, match="is empty"):
        prepare(pool, project, "data.py:nothing")


def test_saturated_data_is_told(pool, project):
    rows = np.random.default_rng(0).random((10, 3, 8, 12)) > 0.3
    assert any("saturated" in words for words in prepare(pool, project, saved(project, rows)).warnings)


def test_a_loader_that_raises_is_told_at_its_item_and_line(pool, project):
    with pytest.raises(InputError, match=r"at its item 7, raised OSError: the disk is gone") as caught:
        prepare(pool, project, "data.py:breaks")
    assert (
        caught.value.range.start.line == LOADERS.splitlines().index('            raise OSError("the disk is gone")') + 1
    )


def test_a_sample_of_another_shape_is_refused_with_both_shapes(pool, project):
    with pytest.raises(InputError, match=r"shape \[3, 8, 13\] for 'x'"):
        prepare(pool, project, saved(project, np.random.default_rng(0).random((4, 3, 8, 13))))


class StoppedError(Exception):
    pass


def test_an_interrupted_collection_goes_on_where_it_was_and_gives_the_same(tmp_path, monkeypatch):
    from onnx import helper

    weight = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], "conv")]
    model = save_graph(tmp_path / "model.onnx", nodes, {"x": IMAGE.shape}, ["y"], {"w": weight})
    random_samples(tmp_path / "samples", {"x": IMAGE.shape}, 8)
    monkeypatch.setattr(tensor_statistics, "_SAVE_SECONDS", 0.0)
    monkeypatch.setattr(tensor_statistics, "_SAVE_SHARE", 0.0)
    told: list[str] = []

    def stops(event):
        told.append(event.message)
        if "sample 6" in event.message:
            raise StoppedError

    arguments = {"model": str(model), "samples": str(tmp_path / "samples")}
    with pytest.raises(StoppedError):
        tensor_statistics.collect(stops, **arguments, out=str(tmp_path / "cut"))
    told.clear()
    tensor_statistics.collect(lambda event: told.append(event.message), **arguments, out=str(tmp_path / "cut"))
    assert told == [f"calibrating: sample {number} of 8" for number in (6, 7, 8)]
    tensor_statistics.collect(silent, **arguments, out=str(tmp_path / "whole"))
    one, other = (tensor_statistics.load(tmp_path / name) for name in ("cut", "whole"))
    assert one.keys() == other.keys()
    for name, histogram in one.items():
        assert isinstance(histogram, Histogram)
        assert np.array_equal(histogram.counts, other[name].counts)
    first, second = (tensor_statistics.load_moments(tmp_path / name)["conv"] for name in ("cut", "whole"))
    assert np.array_equal(first.second, second.second)


def test_statistics_of_other_samples_are_not_taken(tmp_path):
    from onnx import helper

    model = save_graph(
        tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"], "relu")], {"x": [1, 4]}, ["y"], {}
    )
    for seed in (0, 1):
        random_samples(tmp_path / "samples", {"x": [1, 4]}, 3, seed)
        tensor_statistics.collect(silent, str(model), str(tmp_path / "samples"), str(tmp_path / "out"))
    assert tensor_statistics.load(tmp_path / "out")["x"].total == 12
