"""Every example builds the same model each time and answers with the promised shape."""

from __future__ import annotations

import sys
from importlib.resources import files
from types import ModuleType

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession

from aipc.quantize.tasks import boxes_of

from .loading import load

SHAPES = {
    "lprnet/model.py:build": ((1, 3, 24, 94), (1, 68, 18)),
    "esrgan/model.py:build_small": ((1, 3, 32, 32), (1, 3, 128, 128)),
    "vit-tiny/model.py:build": ((1, 3, 224, 224), (1, 1000)),
    "resnet50/model.py:build": ((1, 3, 224, 224), (1, 1000)),
}


@pytest.mark.parametrize("entry", SHAPES)
def test_weights_are_reproducible(entry: str) -> None:
    file, name = entry.split(":")
    given, expected = SHAPES[entry]
    build = getattr(load(file), name)
    image = torch.rand(given, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        one, other = build()(image), build()(image)
    assert one.shape == expected
    assert torch.isfinite(one).all()
    assert torch.equal(one, other)
    assert not torch.equal(one, torch.zeros_like(one))


def test_three_problems_keeps_its_shape() -> None:
    tracker = load("three-problems/model.py").Tracker()
    assert tracker(torch.randn(2, 4, 8, 16, 16), torch.randn(2, 6, 4, 8)).shape == (2, 8, 18, 18)


def test_an_example_finds_its_own_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = ModuleType("model")
    monkeypatch.setitem(sys.modules, "model", stranger)
    assert load("efficientnet-lite0/classify.py").PICTURE.exists()
    assert sys.modules["model"] is stranger


def test_efficientnet_sees_a_minibus() -> None:
    classify = load("efficientnet-lite0/classify.py")
    with torch.no_grad():
        logits = classify.build()(torch.from_numpy(classify.prepare(classify.PICTURE))).numpy()
    label, probability = classify.top5(logits)[0]
    assert label == "minibus"
    assert probability > 0.5


def test_yolov3_tiny_finds_the_people_and_the_bus_on_the_picture() -> None:
    detect = load("yolov3-tiny/detect.py")
    with detect.Image.open(detect.PICTURE) as image:
        pixels, scale, border = detect.letterboxed(image)
    with torch.no_grad():
        answer = detect.build()(torch.from_numpy(pixels))
    assert (answer["boxes"].shape, answer["scores"].shape) == ((1, 2535, 4), (1, 2535, 80))
    found = detect.objects(answer["boxes"].numpy(), answer["scores"].numpy())
    names = (detect.weights_folder() / "coco.names").read_text("utf-8").split("\n")
    assert [names[kind] for kind, _, _ in found] == ["person", "person", "person", "bus", "person"]
    # The bus fills the picture from side to side.
    left, top, right, bottom = (found[3][2] - [*border, *border]) / scale
    assert left < 30 and right > 780 and 200 < top < 300 and 680 < bottom < 780


def test_the_labels_of_yolov3_tiny_are_boxes_in_the_pixels_of_its_input() -> None:
    labelled = load("yolov3-tiny/labelled.py")
    data = list(labelled.photographs())
    assert len(data) == 24 and all(target["boxes"].shape == (len(target["labels"]), 4) for _, target in data)
    corners = np.concatenate([target["boxes"] for _, target in data])
    assert (
        len(corners) > 40 and corners.min() >= 0 and corners.max() < 416.01 and (corners[:, :2] < corners[:, 2:]).all()
    )
    # The whole picture of the bus, 810 x 1080, stands in the middle: 312 wide, 52 to its left.
    assert data[0][1]["boxes"][0] == pytest.approx([60.5, 89.0, 361.3, 287.0], abs=0.5)


def test_the_trained_yolov8n_finds_the_people_on_the_picture() -> None:
    model = load("yolov8n-320/model.py")
    (picture,) = model.example_inputs()
    assert picture.shape == (1, 3, 320, 320)
    session = InferenceSession(files("nudenet") / "320n.onnx", providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"images": picture})
    boxes, classes = boxes_of({"output0": output})
    assert len(boxes) == 4
    face, feet, covered = 1, 7, 9
    assert sorted(classes.tolist()) == [face, feet, covered, covered]


def test_ocr_reads_the_bus() -> None:
    ocr = load("ocr/read.py")
    found = ocr.read(ocr.on_cpu(ocr.DETECTION), ocr.on_cpu(ocr.RECOGNITION))
    assert {"MADRID", "cero", "emisiones"} <= set(found)
