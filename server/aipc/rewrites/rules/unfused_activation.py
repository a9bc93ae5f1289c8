"""An activation behind a product, kept from being fused with it.

QAIRT 2.51 computes a convolution or a matrix product with a hyperbolic tangent, a sigmoid or a GELU behind it in one
step, whose activation is a coarse table. Measured on v73, v75 and v79 alike, SQNR in dB against fp32, fused and with
any operator between: tanh 44 and 68, sigmoid 48 and 67, SiLU 48 and 65, GELU 51 and 64. Two negations, a maximum, a
reshape or a slice between them are equally good; a maximum with the lowest number of fp16 is the cheapest, and exact.
"""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_LOWEST = -65504.0


def _is_product(value: ir.Value | None) -> bool:
    node = value.producer() if value is not None else None
    return node is not None and not node.domain and node.op_type in _PRODUCTS


def _follows_product(value: ir.Value) -> bool:
    """Whether a product makes the value, or a product and its bias."""
    node = value.producer()
    if node is None or node.domain or node.op_type != "Add":
        return _is_product(value)
    first, second = (read.required(node, place) for place in (0, 1))
    return any(
        _is_product(one) and read.constant(other) is not None for one, other in ((first, second), (second, first))
    )


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    if not _follows_product(x):
        raise NoMatch("no convolution or matrix product stands before it")
    attributes = {name: attribute.value for name, attribute in node.attributes.items()}
    return b.op(node.op_type, b.op("Max", x, _LOWEST), **attributes)


RULE = Rule(
    code="unfused-activation",
    title="An activation behind a product is kept apart from it, since their fusion rounds more",
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
        Example("nn.Sequential(nn.Conv1d(3, 8, 3), nn.GELU())", {"x": "float32[1,3,32]"}),
        Example('nn.Sequential(nn.Linear(16, 8), nn.GELU(approximate="tanh"))', {"x": "float32[4,16]"}),
    ),
)
