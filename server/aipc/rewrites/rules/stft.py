"""The short-time Fourier transform as a convolution: in integers STFT stays a float operator."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ._matrix import MAX_ELEMENTS


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    signal, window = read.required(node, 0), read.argument(node, 2)
    sizes, whole = read.shape(signal), read.shape(node.outputs[0])
    if not read.is_float(signal) or (len(sizes) == 3 and sizes[2] != 1):
        raise NoMatch("its signal is complex")
    step = int(read.require_constant(read.required(node, 1), "the step").item())
    length_input = read.argument(node, 3)
    if length_input is not None:
        length = int(read.require_constant(length_input, "the length").item())
    elif window is not None:
        length = read.shape(window)[0]
    else:
        raise NoMatch("its length is not constant")
    bins = whole[2]
    if bins * length * 2 > MAX_ELEMENTS:
        raise NoMatch(f"a transform of length {length} is too large for a convolution")
    # (element * bin) modulo the length keeps the angle exact.
    angle = -2 * np.pi * (np.outer(np.arange(bins), np.arange(length)) % length) / length
    kernels = np.stack([np.cos(angle), np.sin(angle)], 1)
    if window is not None:
        kernels = kernels * read.require_constant(_before_casts(window, b), "the window").astype(np.float64)
    rows = b.reshape(signal, [sizes[0], 1, sizes[1]])
    weights = kernels.reshape(2 * bins, 1, length).astype(read.dtype(signal))
    frames = b.op("Conv", rows, weights, kernel_shape=[length], strides=[step])
    return b.reshape(b.transpose(frames, [0, 2, 1]), whole)


def _before_casts(value: ir.Value, b: Builder) -> ir.Value:
    """PyTorch's export gives a constant window the type of the signal."""
    node = value.producer()
    while node is not None and node.op_type in {"Cast", "CastLike"}:
        b.absorb(node)
        value = read.required(node, 0)
        node = value.producer()
    return value


RULE = Rule(
    code="stft",
    title="A short-time Fourier transform becomes a convolution with windowed sines and cosines",
    ops=("STFT",),
    trigger=Trigger.INTEGERS,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    also=Trigger.REFUSED,
    rewrite=rewrite,
    before=Example(
        "torch.view_as_real(torch.stft(x, 16, 4, window=torch.hann_window(16), center=False, return_complex=True))",
        {"x": "float32[1,64]"},
    ),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        angle = -2 * math.pi * torch.outer(torch.arange(9), torch.arange(16)) / 16
        kernels = torch.stack([torch.cos(angle), torch.sin(angle)], 1) * torch.hann_window(16)
        frames = F.conv1d(x[:, None], kernels.reshape(18, 1, 16), stride=4)
        return frames.reshape(1, 9, 2, -1).permute(0, 1, 3, 2)
""",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(
        Example(
            "torch.stft(x, 32, 8, window=torch.hann_window(32), return_complex=True).abs()", {"x": "float32[2,200]"}
        ),
        Example(
            "torch.view_as_real(torch.stft(x, 20, center=False, onesided=False, return_complex=True))",
            {"x": "float32[1,60]"},
        ),
    ),
)
