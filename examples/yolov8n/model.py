"""YOLOv8n as ultralytics builds it, on the picture that ultralytics ships.

Trained weights cannot be had from a package registry. So that the detections can be read all the same,
the weights are seeded and only the last 1x1 convolutions are fitted to the five objects of this one picture.
It detects nothing else, and boxes have one size for people; its graph and its sizes are those of any YOLOv8n.
With network access, replace ``build`` by ``YOLO("yolov8n.pt").model`` and the rest stays.
"""

from pathlib import Path

import numpy as np
import torch
import ultralytics
from PIL import Image
from torch import Tensor, nn
from ultralytics.nn.modules import Detect
from ultralytics.nn.tasks import DetectionModel

PICTURE = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
SIZE = 640
PERSON, BUS = 0, 5
OBJECTS = (
    (BUS, (4, 229, 796, 728)),
    (PERSON, (671, 380, 810, 880)),
    (PERSON, (221, 405, 344, 857)),
    (PERSON, (50, 397, 244, 905)),
    (PERSON, (0, 550, 63, 873)),
)
"""COCO class and left, top, right, bottom in pixels of the picture."""
UNLIKELY = -9.0
"""Class logit where nothing is to be seen."""


def prepare(picture: Path) -> tuple[np.ndarray, float, tuple[int, int]]:
    """A picture letterboxed to float32[1, 3, 640, 640] in [0, 1]; its scale; left and top border."""
    with Image.open(picture) as image:
        return letterboxed(image)


def prepared(image: Image.Image) -> np.ndarray:
    """What ``preprocess`` in the configuration names: the array alone."""
    return letterboxed(image)[0]


def letterboxed(image: Image.Image) -> tuple[np.ndarray, float, tuple[int, int]]:
    rgb = image.convert("RGB")
    scale = SIZE / max(rgb.size)
    width, height = round(rgb.width * scale), round(rgb.height * scale)
    left, top = (SIZE - width) // 2, (SIZE - height) // 2
    canvas = Image.new("RGB", (SIZE, SIZE), (114, 114, 114))
    canvas.paste(rgb.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    pixels = np.asarray(canvas, dtype=np.float32) / 255.0
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]), scale, (left, top)


def example_inputs() -> tuple[Tensor]:
    return (torch.from_numpy(prepare(PICTURE)[0]),)


def build() -> nn.Module:
    """``forward``: float32[1, 3, 640, 640] -> float32[1, 84, 8400]: a box and 80 class scores per anchor."""
    torch.manual_seed(0)
    model = DetectionModel("yolov8n.yaml", verbose=False)
    image, scale, border = prepare(PICTURE)
    carry_on(model)
    settle_batch_statistics(model, torch.from_numpy(image))
    fit_last_layers(model, torch.from_numpy(image), scale, border)
    head(model).export = True  # only the decoded predictions, as ultralytics' own exporter sets it
    return model


def head(model: DetectionModel) -> Detect:
    return model.model[-1]


def carry_on(model: DetectionModel, backbone: int = 5, mixing: float = 0.6) -> None:
    """Make the convolutions behind the first stages mostly pass channels on and mix them a little.

    Purely random deep networks are chaotic: each layer enlarges the rounding of the one before.
    """
    for layer in model.model[backbone:].modules():
        if not isinstance(layer, nn.Conv2d) or not layer.weight.requires_grad:
            continue  # the fixed weights that turn box bins into distances
        outputs, inputs, height, width = layer.weight.shape
        noise = torch.randn_like(layer.weight) * mixing / layer.weight[0].numel() ** 0.5
        with torch.no_grad():
            layer.weight.copy_(noise)
            layer.weight[torch.arange(outputs), torch.arange(outputs) % inputs, height // 2, width // 2] += 1


def settle_batch_statistics(model: nn.Module, image: Tensor) -> None:
    """One pass whose batch statistics become the running ones: activations keep their scale with depth."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average over passes, here of one
    with torch.no_grad():
        model.train()(image)
    model.eval().requires_grad_(False)


def fit_last_layers(model: DetectionModel, image: Tensor, scale: float, border: tuple[int, int]) -> None:
    """Fit the last class convolutions: the coarsest level to the bus, the middle one to people.

    Boxes have the mean size of the level's objects, by biases alone: random features place no edge.
    """
    detect = head(model)
    for boxes_of, classes_of in zip(detect.cv2, detect.cv3, strict=True):
        for layer, bias in ((boxes_of[-1], 0.0), (classes_of[-1], UNLIKELY)):
            layer.weight.zero_()
            layer.bias.fill_(bias)
    for level, kind in ((1, PERSON), (2, BUS)):
        boxes = torch.tensor([box for found, box in OBJECTS if found == kind]) * scale
        boxes += torch.tensor([*border, *border])
        stride = detect.stride[level].item()
        half = (boxes[:, 2:] - boxes[:, :2]).mean(dim=0).repeat(2) / 2 / stride
        bins = -2.0 * (torch.arange(detect.reg_max) - half[:, None]).abs()
        detect.cv2[level][-1].bias.copy_(bins.flatten())
        layer = detect.cv3[level][-1]
        activation = input_of(layer, model, image)
        solution = logistic_fit(*samples(activation, (boxes[:, :2] + boxes[:, 2:]) / 2 / stride)).float()
        layer.weight[kind] = solution[:-1, None, None]
        layer.bias[kind] = solution[-1]


def input_of(layer: nn.Module, model: nn.Module, image: Tensor) -> Tensor:
    """What reaches a layer when the model sees the image."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model(image)
    hook.remove()
    return seen[0]


def samples(activation: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Each cell's features, float64[cells, channels + 1], last the bias's, and whether a centre is in it."""
    height, width = activation.shape[2:]
    rows = activation[0].flatten(1).T.double()
    rows = torch.cat([rows, torch.ones(len(rows), 1, dtype=torch.float64)], dim=1)
    cells = centres.floor().long()
    wanted = torch.zeros(height * width, dtype=torch.float64)
    wanted[cells[:, 1].clamp(0, height - 1) * width + cells[:, 0].clamp(0, width - 1)] = 1
    return rows, wanted


def logistic_fit(rows: Tensor, wanted: Tensor, ridge: float = 0.002) -> Tensor:
    """Logistic regression, float64[channels + 1]; an object counts as much as a hundred empty cells."""
    solution = torch.zeros(rows.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([solution], max_iter=300, line_search_fn="strong_wolfe")
    weight = 1 + 99 * wanted

    def loss() -> Tensor:
        optimizer.zero_grad()
        with torch.enable_grad():
            error = nn.functional.binary_cross_entropy_with_logits(rows @ solution, wanted, weight, reduction="sum")
            total = error + ridge * solution.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    return solution.detach()
