"""GRU as its gates, step by step: in integers QAIRT builds no GRU (2.51: "could not create op")."""

from __future__ import annotations

import onnx_ir as ir

from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, Rule
from ._recurrent import Direction, unrolled

_MODEL = """\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU({arguments})

    def forward(self, x):
        return self.rnn(x)
"""

_WRITTEN = """\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU(6, 4)

    def forward(self, x):
        h = x.new_zeros(x.shape[1], 4)
        rows = []
        for step in x:
            r, z, n = F.linear(step, self.rnn.weight_ih_l0, self.rnn.bias_ih_l0).chunk(3, -1)
            hr, hz, hn = F.linear(h, self.rnn.weight_hh_l0, self.rnn.bias_hh_l0).chunk(3, -1)
            n = (n + (r + hr).sigmoid() * hn).tanh()
            h = n + (z + hz).sigmoid() * (h - n)
            rows.append(h)
        return torch.stack(rows), h[None]
"""


def rewrite(node: ir.Node, b: Builder) -> tuple[ir.Value, ...]:
    reset_after = bool(node.attributes.get_int("linear_before_reset", 0))

    def step(
        b: Builder, direction: Direction, inputs: tuple[ir.Value, ...], state: tuple[ir.Value, ...]
    ) -> tuple[ir.Value, ...]:
        """ONNX's order of the gates is update, reset, new."""
        (hidden,) = state

        def recurrent(gate: int, value: ir.Value) -> ir.Value:
            product = b.op("MatMul", value, direction.recurrence[gate])
            return b.op("Add", product, direction.recurrence_bias[gate])

        update, reset = (b.op("Sigmoid", b.op("Add", inputs[gate], recurrent(gate, hidden))) for gate in (0, 1))
        part = b.op("Mul", reset, recurrent(2, hidden)) if reset_after else recurrent(2, b.op("Mul", reset, hidden))
        new = b.op("Tanh", b.op("Add", inputs[2], part))
        # (1 - z) n + z h, with one product less.
        return (b.op("Add", new, b.op("Mul", update, b.op("Sub", hidden, new))),)

    return unrolled(node, b, 3, 1, step)


RULE = Rule(
    code="gru-by-gates",
    title="GRU becomes its gates, one step after the other",
    ops=("GRU",),
    trigger=Trigger.INTEGERS,
    also=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    rewrite=rewrite,
    before=Example(_MODEL.format(arguments="6, 4"), {"x": "float32[5,2,6]"}),
    after=_WRITTEN,
    negative=Example(_MODEL.format(arguments="2, 2"), {"x": "float32[600,1,2]"}),
    more=(
        Example(_MODEL.format(arguments="6, 4, bidirectional=True, batch_first=True"), {"x": "float32[2,5,6]"}),
        Example(_MODEL.format(arguments="6, 4, bias=False, num_layers=2"), {"x": "float32[3,1,6]"}),
    ),
)
