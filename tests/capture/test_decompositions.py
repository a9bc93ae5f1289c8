"""Our own decompositions are the operators' definitions: equal to PyTorch through the exporter."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from aipc.capture.export import export
from aipc.capture.recorder import ConstructionRecorder
from aipc.qairt.cpu import run_cpu


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


WINDOW = torch.hann_window(16)
SPECTRUM = torch.view_as_real(torch.stft(normal(2, 100), 16, 4, window=WINDOW, return_complex=True))
TABLE = normal(16, 4)
CASES = {
    "adaptive max, odd": (lambda x: F.adaptive_max_pool2d(x, (3, 4)), (normal(1, 2, 7, 11),)),
    "adaptive max, even": (lambda x: F.adaptive_max_pool2d(x, 4), (normal(2, 3, 8, 8),)),
    "adaptive max, indices": (lambda x: F.adaptive_max_pool2d(x, 3, return_indices=True), (normal(1, 2, 7, 8),)),
    "adaptive max, sequence": (lambda x: F.adaptive_max_pool1d(x, 3), (normal(1, 2, 7),)),
    "adaptive max, volume": (lambda x: F.adaptive_max_pool3d(x, 2), (normal(1, 2, 5, 6, 7),)),
    "adaptive average, odd": (lambda x: F.adaptive_avg_pool2d(x, (3, 5)), (normal(1, 2, 7, 11),)),
    "adaptive average, even": (lambda x: F.adaptive_avg_pool2d(x, 2), (normal(1, 2, 8, 8),)),
    "adaptive average, larger": (lambda x: F.adaptive_avg_pool2d(x, (9, 4)), (normal(1, 2, 4, 4),)),
    "adaptive average, sequence": (lambda x: F.adaptive_avg_pool1d(x, 3), (normal(1, 2, 7),)),
    "adaptive average, volume": (lambda x: F.adaptive_avg_pool3d(x, (2, 3, 3)), (normal(1, 2, 5, 7, 9),)),
    "area": (lambda x: F.interpolate(x, size=(5, 6), mode="area"), (normal(1, 3, 8, 9),)),
    "cumprod": (lambda x: x.cumprod(1), (normal(2, 9, 3),)),
    "cdist": (torch.cdist, (normal(2, 8, 3), normal(2, 5, 3, seed=1))),
    "cdist, sums": (lambda x, y: torch.cdist(x, y, p=1), (normal(2, 8, 3), normal(2, 5, 3, seed=1))),
    "hypot": (torch.hypot, (normal(2, 8), torch.cat([normal(1, 8, seed=1), torch.zeros(1, 8)]))),
    "hypot of zeros": (torch.hypot, (torch.zeros(3), torch.tensor([0.0, -0.0, 2.0]))),
    "median": (lambda x: x.median(-1)[0], (normal(2, 9),)),
    "median of an even count": (lambda x: x.median(0, keepdim=True)[0], (normal(8, 3),)),
    "cummax": (lambda x: x.cummax(1), (normal(2, 9, 3),)),
    "cummin": (lambda x: x.cummin(1), (normal(2, 9, 3),)),
    "cummax of equal values": (lambda x: x.cummax(-1), (torch.tensor([[1.0, 1.0, 0.0, 1.0, 2.0, 2.0, -1.0]]),)),
    "kthvalue": (lambda x: x.kthvalue(3, -1), (normal(2, 9),)),
    "kthvalue of rows": (lambda x: x.kthvalue(2, 0, keepdim=True), (normal(8, 3),)),
    "searchsorted": (
        lambda x: torch.searchsorted(torch.arange(8.0), x),
        (torch.tensor([[-1.0, 0.0, 0.5, 3.0, 9.0]]),),
    ),
    "searchsorted of rows, right": (
        lambda s, x: torch.searchsorted(s, x, right=True),
        (normal(2, 6).sort(-1)[0], torch.cat([normal(2, 3, seed=1), normal(2, 6).sort(-1)[0][:, 2:4]], 1)),
    ),
    "embedding bag": (nn.EmbeddingBag(16, 8), (torch.randint(0, 16, (3, 5)),)),
    "embedding bag, sums": (nn.EmbeddingBag(16, 8, mode="sum"), (torch.randint(0, 16, (3, 5)),)),
    "embedding bag with offsets": (
        lambda i: F.embedding_bag(i, TABLE, torch.tensor([0, 2, 2, 7]), mode="mean"),
        (torch.randint(0, 16, (9,)),),
    ),
    "istft": (lambda x: torch.istft(torch.view_as_complex(x), 16, 4, window=WINDOW), (SPECTRUM,)),
    "istft of a length": (
        lambda x: torch.istft(torch.view_as_complex(x), 16, 4, window=WINDOW, length=97),
        (SPECTRUM,),
    ),
    "rrelu": (nn.RReLU().eval(), (normal(2, 8),)),
}


class Function(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


@pytest.mark.parametrize("name", CASES)
def test_equals_pytorch(name: str, tmp_path) -> None:
    function, inputs = CASES[name]
    module = Function(function).eval().requires_grad_(False)
    expected = module(*inputs)
    exported = export(module, inputs, {}, ConstructionRecorder()).model
    assert not {"GatherND", "ScatterND"} & {node.op_type for node in exported.graph}
    ir.save(exported, tmp_path / "model.onnx")
    names = [value.name for value in exported.graph.inputs]
    feeds = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
    actual = run_cpu(tmp_path / "model.onnx", feeds)
    leaves = torch.utils._pytree.tree_leaves(expected)
    for wanted, got in zip(leaves, actual.values(), strict=True):
        np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-4, atol=1e-5)
