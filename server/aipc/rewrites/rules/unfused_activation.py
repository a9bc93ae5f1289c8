"""An activation behind a product, kept from being fused with it (see ``_products``)."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ._products import kept_apart


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    attributes = {name: attribute.value for name, attribute in node.attributes.items()}
    x = kept_apart(b, read.required(node, 0), saturates=node.op_type != "Gelu")
    return b.op(node.op_type, x, **attributes)


RULE = Rule(
    code="unfused-activation",
    title="An activation behind a product or a sum is kept apart from it, since their fusion rounds more",
    ops=("Gelu", "Sigmoid", "Tanh"),
    trigger=Trigger.FUSED,
    exactness=Exactness.EXACT,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("nn.Sequential(nn.Linear(16, 8), nn.Tanh())", {"x": "float32[4,16]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 8)

    def forward(self, x):
        return torch.tanh(torch.maximum(self.layer(x), torch.tensor(-65504.0)))
""",
    negative=Example("torch.tanh(x)", {"x": "float32[2,8]"}),
    more=(
        Example("nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sigmoid())", {"x": "float32[1,3,16,16]"}),
        Example("nn.Sequential(nn.Conv2d(3, 8, 3), nn.SiLU())", {"x": "float32[1,3,16,16]"}),
        Example("nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.SiLU())", {"x": "float32[1,3,16,16]"}),
        Example("torch.tanh(x + y)", {"x": "float32[4,16]", "y": "float32[4,16]"}),
    ),
)
