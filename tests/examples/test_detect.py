"""The detector example's own post-processing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from .loading import load


@pytest.fixture(scope="module")
def detect():
    return load("yolov8n/detect.py")


def predictions(*boxes: tuple[float, float, float, float, int, float]) -> np.ndarray:
    """float32[1, 84, 8400] with the given (centre x, centre y, width, height, class, score), else nothing."""
    output = np.zeros((1, 84, 8400), dtype=np.float32)
    for anchor, (x, y, width, height, kind, score) in enumerate(boxes):
        output[0, :4, anchor] = x, y, width, height
        output[0, 4 + kind, anchor] = score
    return output


def test_the_five_objects_of_the_picture_are_found(detect) -> None:
    image, scale, border = detect.prepare(detect.PICTURE)
    with torch.no_grad():
        found = detect.decode(detect.build()(torch.from_numpy(image)).numpy(), scale, border)
    assert sorted(detection.kind for detection in found) == [0, 0, 0, 0, 5]
    assert all(detection.score > 0.9 for detection in found)


def test_boxes_are_in_pixels_of_the_picture(detect) -> None:
    (found,) = detect.decode(predictions((300, 200, 20, 40, 5, 0.9)), scale=0.5, border=(80, 0))
    assert found.box.tolist() == [420, 360, 460, 440]
    assert found.kind == 5


def test_the_best_of_overlapping_boxes_stays(detect) -> None:
    output = predictions((100, 100, 50, 50, 0, 0.6), (102, 100, 50, 50, 0, 0.8), (300, 300, 50, 50, 0, 0.7))
    scores = [detection.score for detection in detect.decode(output, 1.0, (0, 0))]
    assert scores == pytest.approx([0.8, 0.7])


def test_overlapping_boxes_of_different_classes_stay(detect) -> None:
    output = predictions((100, 100, 50, 50, 0, 0.6), (100, 100, 50, 50, 1, 0.8))
    assert len(detect.decode(output, 1.0, (0, 0))) == 2


def test_nothing_above_the_score_is_no_detection(detect) -> None:
    assert detect.decode(predictions((1, 1, 1, 1, 0, 0.25)), 1.0, (0, 0)) == []


def test_lists_differ_by_class_score_box_or_number(detect) -> None:
    found = detect.decode(predictions((100, 100, 50, 50, 0, 0.6)), 1.0, (0, 0))
    (one,) = found
    assert detect.same(found, [replace(one, score=one.score + 0.005)])
    assert not detect.same(found, [replace(one, kind=1)])
    assert not detect.same(found, [replace(one, score=one.score + 0.02)])
    assert not detect.same(found, [replace(one, box=one.box + 2)])
    assert not detect.same(found, [])
    assert not detect.same([], found)
