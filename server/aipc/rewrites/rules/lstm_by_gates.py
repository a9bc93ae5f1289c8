"""LSTM as its gates, step by step: in integers QAIRT builds no LSTM (2.51: "could not create op").

In fp16 its own LSTM has 37 to 42 dB SQNR against fp32 where correctly rounded fp16 has 69; as gates it has 44 to 54.
"""

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
        self.rnn = nn.LSTM({arguments})

    def forward(self, x):
        return self.rnn(x)
"""

_WRITTEN = """\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.LSTM(6, 4)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], 4)
        rows = []
        for step in x:
            sums = F.linear(step, self.rnn.weight_ih_l0, self.rnn.bias_ih_l0)
            sums = sums + F.linear(h, self.rnn.weight_hh_l0, self.rnn.bias_hh_l0)
            i, f, g, o = sums.chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            rows.append(h)
        return torch.stack(rows), (h[None], c[None])
"""


def _step(
    b: Builder, direction: Direction, inputs: tuple[ir.Value, ...], state: tuple[ir.Value, ...]
) -> tuple[ir.Value, ...]:
    """ONNX's order of the gates is input, output, forget, cell."""
    hidden, cell = state
    sums = [
        b.op("Add", step, b.op("Add", b.op("MatMul", hidden, weight), bias))
        for step, weight, bias in zip(inputs, direction.recurrence, direction.recurrence_bias, strict=True)
    ]
    enter, leave, keep = (b.op("Sigmoid", item) for item in sums[:3])
    cell = b.op("Add", b.op("Mul", keep, cell), b.op("Mul", enter, b.op("Tanh", sums[3])))
    return b.op("Mul", leave, b.op("Tanh", cell)), cell


def rewrite(node: ir.Node, b: Builder) -> tuple[ir.Value, ...]:
    return unrolled(node, b, 4, 2, _step)


RULE = Rule(
    code="lstm-by-gates",
    title="LSTM becomes its gates, one step after the other",
    ops=("LSTM",),
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
