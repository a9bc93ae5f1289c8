"""Dilated transposed convolution, with the dilation in the kernel."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    dilations = read.ints(node, "dilations", [])
    if all(item == 1 for item in dilations):
        raise NoMatch("it is not dilated")
    kernel = read.require_constant(read.argument(node, 1), "the kernel")
    sizes = [(size - 1) * step + 1 for size, step in zip(kernel.shape[2:], dilations, strict=True)]
    wide = np.zeros((*kernel.shape[:2], *sizes), kernel.dtype)
    wide[(slice(None), slice(None), *(slice(None, None, step) for step in dilations))] = kernel
    attributes = {
        name: item.value for name, item in node.attributes.items() if name not in ("dilations", "kernel_shape")
    }
    return b.op("ConvTranspose", x, wide, *node.inputs[2:], kernel_shape=sizes, **attributes)


RULE = Rule(
    code="conv-transpose-dilation",
    title="A dilated transposed convolution has its kernel widened by zeros",
    ops=("ConvTranspose",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("nn.ConvTranspose2d(2, 4, 3, 2, 1, dilation=2)", {"x": "float32[1,2,8,8]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.ConvTranspose2d(2, 4, 3, 2, 1)

    def forward(self, x):
        kernel = torch.zeros(2, 4, 5, 5)
        kernel[:, :, ::2, ::2] = self.convolution.weight
        return F.conv_transpose2d(x, kernel, self.convolution.bias, 2, 1)
""",
    negative=Example("nn.ConvTranspose2d(2, 4, 3, 2, 1)", {"x": "float32[1,2,8,8]"}),
)
