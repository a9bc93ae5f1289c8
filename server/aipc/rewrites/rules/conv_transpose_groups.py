"""Transposed convolution of volumes in groups, group by group."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_GROUPS = 64


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value, weight = read.required(node, 0), read.required(node, 1)
    groups = node.attributes.get_int("group", 1)
    if read.rank(value) != 5 or groups == 1:
        raise NoMatch("the NPU computes transposed convolutions of this form rightly")
    if groups > _MAX_GROUPS:
        raise NoMatch(f"more than {_MAX_GROUPS} groups")
    own = read.shape(value)[1] // groups
    out = read.shape(node.outputs[0])[1] // groups
    bias = read.argument(node, 2)
    attributes = {name: item.value for name, item in node.attributes.items() if name != "group"}
    parts = []
    for group in range(groups):
        mine = b.slice(value, 1, group * own, (group + 1) * own)
        kernel = b.slice(weight, 0, group * own, (group + 1) * own)
        added = () if bias is None else (b.slice(bias, 0, group * out, (group + 1) * out),)
        parts.append(b.op("ConvTranspose", mine, kernel, *added, **attributes))
    return b.concat(parts, 1)


RULE = Rule(
    code="conv-transpose-groups",
    title="A transposed convolution of volumes in groups is computed group by group",
    ops=("ConvTranspose",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("wrong-numbers",),
    rewrite=rewrite,
    before=Example("nn.ConvTranspose3d(4, 4, 2, groups=2)", {"x": "float32[1,4,3,4,5]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.ConvTranspose3d(4, 4, 2, groups=2)

    def forward(self, x):
        weights, biases = self.convolution.weight.chunk(2), self.convolution.bias.chunk(2)
        parts = zip(x.chunk(2, 1), weights, biases)
        return torch.cat([F.conv_transpose3d(part, weight, bias) for part, weight, bias in parts], 1)
""",
    negative=Example("nn.ConvTranspose2d(4, 4, 2, groups=2)", {"x": "float32[1,4,3,4]"}),
    more=(
        Example("nn.ConvTranspose3d(4, 4, 3, stride=2, padding=1, groups=4, bias=False)", {"x": "float32[1,4,3,4,5]"}),
    ),
)
