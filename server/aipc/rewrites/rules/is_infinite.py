"""IsInf, as a comparison."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ..site import Site


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    up = node.attributes.get_int("detect_positive", 1)
    down = node.attributes.get_int("detect_negative", 1)
    if not up and not down:
        raise NoMatch("it detects nothing")
    probe = b.op("Abs", x) if up and down else x if up else b.op("Neg", x)
    return b.op("Equal", probe, math.inf)


def source_edit(site: Site) -> str | None:
    """``torch.isinf(x)`` as ``x.abs() == float("inf")``."""
    found = site.operation("isinf", "input", method=True)
    return None if found is None else f'{site.operand(found.operands[0])}.abs() == float("inf")'


RULE = Rule(
    code="is-infinite",
    title="The test for infinity becomes a comparison with it",
    ops=("IsInf",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("torch.where(torch.isinf(x), 0.0, x)", {"x": "float32[2,8]"}),
    after="torch.where(x.abs() == math.inf, 0.0, x)",
    negative=Example("torch.where(torch.isnan(x), 0.0, x)", {"x": "float32[2,8]"}),
    more=(Example("torch.nan_to_num(x, 0.5, 100.0, -100.0)", {"x": "float32[2,8]"}),),
)
