"""The discrete Fourier transform as a matrix product."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ._matrix import MAX_ELEMENTS


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = read.shape(value)
    rank, parts = len(sizes), sizes[-1]
    axis_input = read.argument(node, 2)
    axis = -2 if axis_input is None else int(read.require_constant(axis_input, "the axis").item())
    axis = int(node.attributes.get_int("axis", axis)) % rank
    inverse = bool(node.attributes.get_int("inverse", 0))
    onesided = bool(node.attributes.get_int("onesided", 0))
    length_input = read.argument(node, 1)
    length = sizes[axis] if length_input is None else int(read.require_constant(length_input, "the length").item())
    if axis == rank - 1:
        raise NoMatch("its axis is that of the real and the imaginary part")
    if onesided and inverse and parts != 2:
        raise NoMatch("it is one-sided and inverse, of a real input")
    given_bins = length // 2 + 1 if onesided and inverse else length
    if given_bins < sizes[axis]:
        value, sizes = b.slice(value, axis, 0, given_bins), (*sizes[:axis], given_bins, *sizes[axis + 1 :])
    used = sizes[axis]
    count = length // 2 + 1 if onesided and not inverse else length
    if used * parts * count * 2 > MAX_ELEMENTS:
        raise NoMatch(f"a transform of length {length} is too large for a matrix")
    # (element * bin) modulo the length keeps the angle exact.
    turns = np.outer(np.arange(used), np.arange(count)) % length
    angle = (2 if inverse else -2) * np.pi * turns / length
    real, imaginary = np.cos(angle), np.sin(angle)
    if inverse:
        real, imaginary = real / length, imaginary / length
    if onesided and inverse:
        # The bins left out are the conjugates of those that are there, and the result is real.
        share = np.full((used, 1), 2.0)
        share[0] = 1.0
        if length % 2 == 0 and used == length // 2 + 1:
            share[-1] = 1.0
        matrix, parts_per_value = np.stack([share * real, -share * imaginary], 1), 1
    else:
        from_real = np.stack([real, imaginary], -1)
        blocks = [from_real] if parts == 1 else [from_real, np.stack([-imaginary, real], -1)]
        matrix, parts_per_value = np.stack(blocks, 1), 2
    matrix = matrix.reshape(used * parts, count * parts_per_value)
    whole = [*sizes[:axis], count, *sizes[axis + 1 : -1], parts_per_value]
    # QAIRT cannot build some transposes that move axes of size one.
    axes = [place for place in range(rank - 1) if sizes[place] > 1 or place == axis]
    value = b.reshape(value, [*(sizes[place] for place in axes), parts])
    sizes, axis, rank = tuple(sizes[place] for place in axes), axes.index(axis), len(axes) + 1
    # The transformed axis beside that of the parts, both flattened: rows of the product.
    others = [place for place in range(rank - 1) if place != axis]
    moved = b.transpose(value, [*others, axis, rank - 1])
    rows = b.reshape(moved, [int(np.prod([sizes[place] for place in others])), used * parts])
    product = b.op("MatMul", rows, matrix.astype(read.dtype(value)))
    product = b.reshape(product, [*(sizes[place] for place in others), count, parts_per_value])
    order = [*others, axis, rank - 1]
    return b.reshape(b.transpose(product, [order.index(place) for place in range(rank)]), whole)


RULE = Rule(
    code="dft",
    title="A Fourier transform becomes a product with the matrix of its sines and cosines",
    ops=("DFT",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("unsupported-operator",),
    rewrite=rewrite,
    before=Example("torch.view_as_real(torch.fft.rfft(x))", {"x": "float32[1,4,16]"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        angle = -2 * math.pi * torch.outer(torch.arange(16), torch.arange(9)) / 16
        return torch.stack([x @ torch.cos(angle), x @ torch.sin(angle)], dim=-1)
""",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(
        Example("torch.fft.rfft(x).abs()", {"x": "float32[1,4,16]"}),
        Example("torch.view_as_real(torch.fft.fft(x))", {"x": "float32[2,3,15]"}),
        Example("torch.fft.irfft(torch.view_as_complex(x))", {"x": "float32[1,4,9,2]"}),
        Example("torch.view_as_real(torch.fft.fft2(x))", {"x": "float32[1,4,8,16]"}),
        Example('torch.view_as_real(torch.fft.rfft2(x, norm="ortho"))', {"x": "float32[1,3,8,16]"}),
        Example("torch.view_as_real(torch.fft.rfft(x, n=20, dim=1))", {"x": "float32[1,16,4]"}),
    ),
)
