"""Our own decompositions are the operators' definitions: equal to PyTorch through the exporter."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from aipc.capture.export import export
from aipc.capture.recorder import ConstructionRecorder
from aipc.numerics.cpu import run_cpu


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


WINDOW = torch.hann_window(16)
SPECTRUM = torch.view_as_real(torch.stft(normal(2, 100), 16, 4, window=WINDOW, return_complex=True))
TABLE = normal(16, 4)
ROTATION = torch.polar(torch.ones(6, 4), torch.outer(torch.arange(6.0), torch.tensor([1.0, 0.3, 0.1, 0.03])))
COMPLEX_WEIGHT = torch.complex(normal(3, 2, 5), normal(3, 2, 5, seed=1))
ENDS = torch.tensor([-(2**31) + 1, -(2**24) - 1, -7, -6, -1, 0, 1, 2, 7, 2**24 + 1, 2**31 - 1], dtype=torch.int32)
CASES = {
    "integer division, floor": (lambda x: torch.div(x, 3, rounding_mode="floor"), (ENDS,)),
    "integer division, truncated": (lambda x: torch.div(x, -3, rounding_mode="trunc"), (ENDS,)),
    "integer division by a tensor": (
        lambda x, y: torch.div(x, y, rounding_mode="trunc"),
        (ENDS, torch.tensor([2, -2, 2, -4, 3, -3, 5, -1, -2, 2, -7], dtype=torch.int32)),
    ),
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
    "bucketize": (
        lambda x: torch.bucketize(x, torch.arange(8.0)),
        (torch.tensor([[-1.0, 0.0, 0.5, 3.0, 9.0]]),),
    ),
    "bucketize, right": (
        lambda x: torch.bucketize(x, torch.arange(8.0), right=True),
        (torch.tensor([[-1.0, 0.0, 0.5, 3.0, 9.0]]),),
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
    "determinant": (torch.linalg.det, (normal(2, 3, 3),)),
    "determinant of four rows": (torch.det, (normal(4, 4),)),
    "logarithm of a positive determinant": (lambda x: torch.logdet(x @ x.mT + torch.eye(3)), (normal(3, 3),)),
    "logarithm of a determinant": (lambda x: torch.linalg.slogdet(x), (normal(2, 3, 3),)),
    "inverse": (torch.linalg.inv, (normal(2, 2, 2),)),
    "inverse of four rows": (torch.inverse, (normal(3, 4, 4) + 4 * torch.eye(4),)),
    "inverse of one number": (torch.inverse, (torch.tensor([[4.0]]),)),
    "solution": (torch.linalg.solve, (normal(2, 3, 3) + 3 * torch.eye(3), normal(2, 3, 5, seed=1))),
    "solution of one right side": (torch.linalg.solve, (normal(3, 3) + 3 * torch.eye(3), normal(3, seed=1))),
    "solution from the right": (
        lambda a, b: torch.linalg.solve(a, b, left=False),
        (normal(3, 3) + 3 * torch.eye(3), normal(2, 3, seed=1)),
    ),
    "attention of three axes": (F.scaled_dot_product_attention, (normal(2, 6, 8), normal(2, 5, 8), normal(2, 5, 8))),
    "attention of five axes, masked": (
        lambda q, k, m: F.scaled_dot_product_attention(q, k, k, m > 0),
        (normal(2, 1, 3, 6, 8), normal(2, 2, 3, 5, 8), normal(2, 1, 1, 6, 5) + 2),
    ),
    "causal attention of two axes": (
        lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True, scale=0.5),
        (normal(6, 8),),
    ),
    "convolution of volumes without bias": (nn.Conv3d(2, 4, 3, padding=1, bias=False), (normal(1, 2, 4, 5, 6),)),
    "convolution of volumes": (nn.Conv3d(2, 4, 3, padding="same", bias=False), (normal(1, 2, 4, 5, 6),)),
    "hstack": (lambda x, y: torch.hstack([x, y]), (normal(2, 3), normal(2, 4))),
    "hstack of vectors": (lambda x, y: torch.hstack([x, y]), (normal(3), normal(4))),
    "vstack": (lambda x, y: torch.vstack([x, y]), (normal(3), normal(2, 3))),
    "dstack": (lambda x, y: torch.dstack([x, y]), (normal(2, 3), normal(2, 3))),
    "dstack of vectors": (lambda x, y: torch.dstack([x, y]), (normal(3), normal(3))),
    "column_stack": (lambda x, y: torch.column_stack([x, y]), (normal(3), normal(3, 2))),
    "maximum of all": (lambda x: x.amax(), (normal(2, 9),)),
    "minimum of all": (lambda x: torch.amin(x, (), keepdim=True), (normal(2, 9),)),
    "maximum of rows": (lambda x: x.amax(1), (normal(2, 9),)),
    "median of all": (lambda x: x.median(), (normal(4, 3),)),
    "stable sort": (lambda x: x.sort(dim=-1, stable=True), (torch.tensor([[1.0, 0.0, 1.0, 0.0, 2.0, 0.0]]),)),
    "stable sort, descending": (
        lambda x: x.sort(dim=0, stable=True, descending=True),
        (torch.tensor([1.0, 0.0, 1.0, 0.0, 2.0, 0.0]),),
    ),
    "fmax": (torch.fmax, (torch.tensor([1.0, math.nan, 2.0]), torch.tensor([math.nan, 3.0, -1.0]))),
    "fmin": (torch.fmin, (torch.tensor([1.0, math.nan, 2.0]), torch.tensor([math.nan, 3.0, -1.0]))),
    "scatter with a sum": (
        lambda x, y: x.scatter(1, torch.tensor([[0, 2, 2], [1, 0, 1]]), y, reduce="add"),
        (normal(2, 4), normal(2, 3, seed=1)),
    ),
    "rotary embedding": (
        lambda x: torch.view_as_real(torch.view_as_complex(x) * ROTATION[None, :, None]),
        (normal(1, 6, 2, 4, 2),),
    ),
    "Fourier layer": (
        lambda x: torch.fft.irfft(torch.einsum("bim,iom->bom", torch.fft.rfft(x)[..., :5], COMPLEX_WEIGHT), n=8),
        (normal(2, 3, 16),),
    ),
    "complex, moved": (
        lambda x: torch.view_as_real(
            torch.cat([x + 1j * x, 1j / (x + 2j)], 0).unsqueeze(-1).expand(-1, -1, 3).flip(-2).conj()[:, 1] * 2
        ),
        (normal(2, 4),),
    ),
    "complex, functions": (
        lambda x: torch.view_as_real(torch.exp(torch.complex(x, x * 2) / 2) - torch.polar(x.abs(), x) ** 2 - 1),
        (normal(2, 4),),
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
    exported = equal_to_pytorch(*CASES[name], tmp_path)
    assert not {"Det", "GatherND", "ScatterND", "SequenceConstruct"} & {node.op_type for node in exported.graph}


def test_indices_of_32_bits_make_a_valid_graph(tmp_path) -> None:
    indices = torch.tensor([0, 3, -1], dtype=torch.int32)
    equal_to_pytorch(lambda x, i: x[:, i], (normal(4, 5), indices), tmp_path)


def equal_to_pytorch(function, inputs, tmp_path) -> ir.Model:
    module = Function(function).eval().requires_grad_(False)
    expected = module(*inputs)
    exported = export(module, inputs, {}, ConstructionRecorder()).model
    ir.save(exported, tmp_path / "model.onnx")
    names = [value.name for value in exported.graph.inputs]
    feeds = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
    actual = run_cpu(tmp_path / "model.onnx", feeds)
    leaves = torch.utils._pytree.tree_leaves(expected)
    for wanted, got in zip(leaves, actual.values(), strict=True):
        rounding = {"rtol": 1e-4, "atol": 1e-5} if wanted.is_floating_point() else {"rtol": 0, "atol": 0}
        np.testing.assert_allclose(got, wanted.numpy(), **rounding)
    return exported
