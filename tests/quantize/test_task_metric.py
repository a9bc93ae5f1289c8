"""Task metrics: built in, and the author's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aipc.core.errors import InputError
from aipc.core.types import Event
from aipc.numerics.npz import write_npz
from aipc.numerics.samples import noisiest
from aipc.numerics.slices import slice_outputs
from aipc.quantize.task_metric import measure
from aipc.quantize.tasks import boxes_of, classification, detection


def yolo(*objects: tuple[float, float, float, float, int], noise: float = 0.0) -> dict[str, np.ndarray]:
    """[1, 4 + 3, 100] with one column of centre, size and scores for each object."""
    rows = np.zeros((100, 7), np.float32)
    for index, (x, y, w, h, label) in enumerate(objects):
        rows[index, :4] = x + noise, y, w, h
        rows[index, 4 + label] = 0.9
    return {"output0": rows.T[None]}


def test_classification_counts_rows_of_the_same_class() -> None:
    reference = [{"logits": np.float32([[1, 2, 3], [3, 2, 1]])}, {"logits": np.float32([[0, 1, 0]])}]
    actual = [{"logits": np.float32([[1, 3, 2], [3, 2, 1]])}, {"logits": np.float32([[0, 9, 0]])}]
    assert classification(reference, actual) == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="no axis of classes"):
        classification([{"mean": np.float32([1])}], [{"mean": np.float32([1])}])


def test_detection_matches_boxes_of_one_class_and_place() -> None:
    both = (50, 50, 20, 20, 1), (10, 10, 8, 8, 0)
    assert detection([yolo(*both)], [yolo(*both, noise=1)]) == 1
    assert detection([yolo(*both)], [yolo(both[0])]) == pytest.approx(2 / 3)
    assert detection([yolo(both[0])], [yolo((50, 50, 20, 20, 2))]) == 0
    assert detection([yolo(both[0])], [yolo((90, 50, 20, 20, 1))]) == 0
    with pytest.raises(InputError, match="no object"):
        detection([yolo()], [yolo()])
    with pytest.raises(InputError, match="no boxes of a known form"):
        detection([{"a": np.zeros((1, 3), np.float32)}], [{"a": np.zeros((1, 3), np.float32)}])


def test_boxes_come_from_named_outputs_too_and_overlapping_ones_are_suppressed() -> None:
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 11], [30, 30, 40, 40]])
    outputs = {"boxes": boxes, "scores": np.float32([0.9, 0.8, 0.7]), "labels": np.array([1, 1, 2])}
    found, labels = boxes_of(outputs)
    assert (len(found), labels.tolist()) == (2, [1, 2])


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[str]]:
    write_npz(tmp_path / "r.npz", {"y": np.float32([[1, 2]])})
    write_npz(tmp_path / "a.npz", {"y": np.float32([[2, 1]])})
    return {"references": [str(tmp_path / "r.npz")], "actuals": [str(tmp_path / "a.npz")]}


def ask(root: Path, metric: str, files: dict[str, list[str]]):
    events: list[Event] = []
    return measure(events.append, metric=metric, root=str(root), **files)


def test_the_author_s_function_gets_lists_of_samples_and_its_first_figure_counts(tmp_path: Path, files) -> None:
    (tmp_path / "own.py").write_text(
        "import numpy as np\n"
        "def agreement(references, outputs):\n"
        "    assert len(references) == len(outputs) == 1\n"
        "    return {'near': -float(np.abs(references[0]['y'] - outputs[0]['y']).max()), 'count': 1}\n"
    )
    found = ask(tmp_path, "own.py:agreement", files)
    assert (found.name, found.value, found.samples, found.more) == ("near", -1.0, 1, {"count": 1.0})
    assert ask(tmp_path, "classification", files).value == 0.0


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("precision", "there is no metric called 'precision'"),
        ("none.py:x", "there is no file"),
        ("own.py:missing", "there is no function missing"),
        ("own.py:text", "returned 'good', which is no number"),
        ("own.py:nan", "returned nan"),
        ("own.py:raises", "raised ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_metric_is_said_in_a_sentence(tmp_path: Path, files, metric: str, words: str) -> None:
    (tmp_path / "own.py").write_text(
        "def text(r, o):\n    return 'good'\n"
        "def nan(r, o):\n    return float('nan')\n"
        "def raises(r, o):\n    return 1 / 0\n"
    )
    with pytest.raises(InputError) as caught:
        ask(tmp_path, metric, files)
    assert words in str(caught.value)
    if metric.endswith("raises"):
        assert caught.value.range is not None
        assert caught.value.range.start.line == 6


def test_lost_scores_beside_large_boxes_show_in_their_slice_only() -> None:
    draw = np.random.default_rng(0)
    boxes, scores = draw.uniform(100, 640, (1, 4, 50)), draw.uniform(0.2, 1, (1, 6, 50))
    reference = {"output": np.concatenate([boxes, scores], 1).astype(np.float32)}
    actual = {"output": np.concatenate([boxes, 0 * scores], 1).astype(np.float32)}
    first, second = slice_outputs(reference, actual)
    assert (first.name, second.name) == ("output[:, 0:4]", "output[:, 4:10]")
    assert first.sqnr_db > 100
    assert second.sqnr_db == pytest.approx(0, abs=1e-6)
    assert second.cosine == 0


def test_scores_of_classes_that_are_never_seen_are_of_the_slice_of_scores() -> None:
    draw = np.random.default_rng(0)
    boxes = draw.uniform(100, 640, (1, 4, 50))
    scores = draw.uniform(0.2, 1, (1, 40, 50)) * 10.0 ** -draw.integers(0, 6, (1, 40, 1))
    reference = {"output": np.concatenate([boxes, scores], 1).astype(np.float32)}
    assert [item.name for item in slice_outputs(reference, reference)] == ["output[:, 0:4]", "output[:, 4:44]"]


def test_an_output_of_one_range_has_no_slices() -> None:
    value = {"y": np.random.default_rng(0).standard_normal((1, 8, 20)).astype(np.float32), "n": np.arange(6)}
    assert slice_outputs(value, value) == ()


def test_the_sample_with_most_of_the_noise_is_the_one_that_is_looked_into(tmp_path: Path) -> None:
    paths: dict[str, list[str]] = {"references": [], "actuals": []}
    for number, (size, error) in enumerate(zip((1.0, 4.0, 1.0), (0.3, 0.1, 0.5), strict=True)):
        value = np.full((1, 8), size, np.float32)
        for kind, array in (("references", value), ("actuals", value + np.float32(error))):
            paths[kind].append(str(tmp_path / f"{kind}{number}.npz"))
            write_npz(paths[kind][-1], {"y": array})
    events: list[Event] = []
    assert noisiest(events.append, **paths) == 2
