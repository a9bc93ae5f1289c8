"""A softmax over scores to which a mask was added, with a floor under the scores.

PyTorch's fp32 absorbs a score in a mask of -3.4e38 or -1e9: a row that is masked whole has equal numbers, and its
softmax is uniform. QAIRT 2.51 holds such a mask as -65536, to which scores from 16 on still add: measured on v75,
``softmax(scores - 3.4e38)`` with scores within 60 has -8 dB SQNR and above a floor of -60000 the 60 dB of other rows.
Rows with an entry that is not masked do not change: what lies below the floor has no weight there. A row of -inf alone
is NaN in PyTorch, and would not stay so.
"""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_FLOOR = -60000.0


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    scores = read.required(node, 0)
    producer = scores.producer()
    if producer is None or producer.domain or producer.op_type not in ("Add", "Sub"):
        raise NoMatch("no mask is added to its input")
    return b.op("Softmax", b.op("Max", scores, _FLOOR), axis=node.attributes.get_int("axis", -1))


RULE = Rule(
    code="softmax-with-floor",
    title="Scores with an added mask get a floor, so that a row that is masked whole stays uniform",
    ops=("Softmax",),
    trigger=Trigger.MASKED,
    exactness=Exactness.EXACT,
    excludes=NonFinite.NEGATIVE,
    answers=("diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("(x + y).softmax(-1)", {"x": "float32[2,4,16,16]", "y": "float32[2,1,1,16]"}),
    after="""\
class Model(nn.Module):
    def forward(self, x, y):
        return torch.maximum(x + y, torch.tensor(-60000.0)).softmax(-1)
""",
    negative=Example("x.softmax(-1)", {"x": "float32[2,8]"}),
    more=(Example("(x - y).softmax(1)", {"x": "float32[2,8,3]", "y": "float32[2,8,3]"}),),
)
