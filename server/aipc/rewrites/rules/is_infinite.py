"""IsInf, as a comparison with what fp16 can hold."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ..site import Site
from ._range import FP16_LARGEST


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    up = node.attributes.get_int("detect_positive", 1)
    down = node.attributes.get_int("detect_negative", 1)
    if not up and not down:
        raise NoMatch("it detects nothing")
    reader = read.only_reader(node.outputs[0])
    if reader is not None and reader.op_type == "And":
        others = [item.producer() for item in reader.inputs if item is not None]
        if any(item is not None and item.op_type in ("Greater", "Less") and item.inputs[0] is x for item in others):
            raise NoMatch("its sign is asked for too")
    # A limit before the comparison: on the NPU none with a number beyond fp16 is true, whatever its sign.
    size = b.op("Abs", x) if up and down else b.op("Max", x if up else b.op("Neg", x), 0.0)
    return b.op("Not", b.op("LessOrEqual", size, FP16_LARGEST))


def source_edit(site: Site) -> str | None:
    """``torch.isinf(x)`` as ``~(x.abs() <= 65504)``."""
    operation = site.operation("isinf", "input", method=True)
    return None if operation is None else f"~({site.operand(operation.operands[0])}.abs() <= {FP16_LARGEST:g})"


RULE = Rule(
    code="is-infinite",
    title="The test for infinity becomes a comparison with the largest number of fp16",
    ops=("IsInf",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    # fp16 on the NPU holds NaN and infinities as one number.
    excludes=NonFinite.NAN,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("torch.where(torch.isinf(x), 0.0, x)", {"x": "float32[2,8]"}),
    after="torch.where(~(x.abs() <= 65504), 0.0, x)",
    negative=Example("torch.nan_to_num(x)", {"x": "float32[2,8]"}),
)
