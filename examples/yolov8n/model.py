"""YOLOv8n as ultralytics builds it, on the picture that ultralytics ships.

Trained weights cannot be had from a package registry. So that the detections can be read all the same,
the weights are seeded and only the last 1x1 convolutions of the coarsest level are fitted to the five
objects of this one picture. It detects nothing else; its graph and its sizes are those of any YOLOv8n.
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
    """A picture letterboxed to float32[1, 3, 640, 640] in [0, 1]; the scale; left and top border in pixels."""
    with Image.open(picture) as image:
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
    settle_batch_statistics(model, torch.from_numpy(image))
    fit_last_layers(model, torch.from_numpy(image), scale, border)
    head(model).export = True  # only the decoded predictions, as ultralytics' own exporter sets it
    return model


def head(model: DetectionModel) -> Detect:
    return model.model[-1]


def settle_batch_statistics(model: nn.Module, image: Tensor) -> None:
    """One pass whose batch statistics become the running ones: activations keep their scale with depth."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average over passes, here of one
    with torch.no_grad():
        model.train()(image)
    model.eval().requires_grad_(False)


def fit_last_layers(model: DetectionModel, image: Tensor, scale: float, border: tuple[int, int]) -> None:
    """Fit the coarsest level's last 1x1 convolutions to the objects; the finer levels see nothing."""
    detect = head(model)
    seen: dict[nn.Module, Tensor] = {}
    box_layer, class_layer = detect.cv2[-1][-1], detect.cv3[-1][-1]
    hooks = [
        layer.register_forward_pre_hook(lambda module, inputs: seen.__setitem__(module, inputs[0]))
        for layer in (box_layer, class_layer)
    ]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    for branch in detect.cv3:
        branch[-1].weight.zero_()
        branch[-1].bias.fill_(UNLIKELY)
    boxes = torch.tensor([box for _, box in OBJECTS]) * scale + torch.tensor([*border, *border])
    owner, bins = targets(seen[box_layer].shape[-1], detect.stride[-1].item(), boxes, detect.reg_max)
    store(box_layer, slice(None), linear_fit(features(seen[box_layer])[owner >= 0], bins[owner >= 0]))
    rows = features(seen[class_layer])
    kinds = torch.tensor([kind for kind, _ in OBJECTS])
    for kind in kinds.unique().tolist():
        wanted = (owner >= 0) & (kinds[owner] == kind)
        store(class_layer, slice(kind, kind + 1), logistic_fit(rows, wanted)[:, None])


def targets(cells: int, stride: float, boxes: Tensor, reg_max: int) -> tuple[Tensor, Tensor]:
    """Each cell's object or -1, int64[cells^2], and box side logits, float32[cells^2, 4 * reg_max]."""
    step = (torch.arange(cells) + 0.5) * stride
    y, x = torch.meshgrid(step, step, indexing="ij")
    points = torch.stack([x.flatten(), y.flatten()], dim=1)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    distance = (points[:, None] - centres).abs().amax(dim=2) / stride
    nearest, owner = distance.min(dim=1)
    mine = boxes[owner]
    sides = torch.cat([points - mine[:, :2], mine[:, 2:] - points], dim=1) / stride
    bins = -4.0 * (torch.arange(reg_max) - sides[..., None]).abs()
    owner[nearest > 0.75] = -1  # only cells at an object's centre speak for it
    return owner, bins.flatten(1)


def features(activation: Tensor) -> Tensor:
    """float64[cells^2, channels + 1] of float32[1, channels, cells, cells]; the last column is the bias's."""
    rows = activation[0].flatten(1).T.double()
    return torch.cat([rows, torch.ones(len(rows), 1, dtype=torch.float64)], dim=1)


def linear_fit(rows: Tensor, wanted: Tensor, ridge: float = 1e-4) -> Tensor:
    """Ridge regression, float64[channels + 1, outputs]."""
    return torch.linalg.solve(rows.T @ rows + ridge * torch.eye(rows.shape[1]), rows.T @ wanted.double())


def logistic_fit(rows: Tensor, wanted: Tensor, ridge: float = 1e-3, steps: int = 30) -> Tensor:
    """Logistic regression by Newton's method, float64[channels + 1]."""
    penalty = ridge * torch.eye(rows.shape[1], dtype=torch.float64)
    solution = torch.zeros(rows.shape[1], dtype=torch.float64)
    for _ in range(steps):
        chance = torch.sigmoid(rows @ solution)
        gradient = rows.T @ (chance - wanted.double()) + penalty @ solution
        curvature = rows.T @ (rows * (chance * (1 - chance))[:, None]) + penalty
        solution = solution - torch.linalg.solve(curvature, gradient)
    return solution


def store(layer: nn.Conv2d, outputs: slice, solution: Tensor) -> None:
    """Make a fit the weights and biases of a 1x1 convolution's outputs."""
    weight = solution.float().T
    layer.weight[outputs] = weight[:, :-1, None, None]
    layer.bias[outputs] = weight[:, -1]
