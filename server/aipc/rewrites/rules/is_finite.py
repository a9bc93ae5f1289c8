"""Neither infinite nor NaN, as a comparison with what fp16 can hold."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import FP16_LARGEST


def _tested(value: ir.Value, op: str, b: Builder) -> ir.Value:
    """What is tested for being none of ``op``. Raises NoMatch."""
    negation = read.producer(value, "Not")
    test = read.producer(read.argument(negation, 0), op)
    b.absorb(negation, test)
    if op == "IsInf" and not all(test.attributes.get_int(f"detect_{side}", 1) for side in ("positive", "negative")):
        raise NoMatch("infinities of one sign are tested for")
    return read.required(test, 0)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    operands = [read.required(node, place) for place in (0, 1)]
    kinds = [read.producer(read.argument(read.producer(item, "Not"), 0), "IsInf", "IsNaN").op_type for item in operands]
    tested = [_tested(item, kind, b) for item, kind in zip(operands, kinds, strict=True)]
    if sorted(kinds) != ["IsInf", "IsNaN"] or tested[0] is not tested[1]:
        raise NoMatch("two tensors are tested")
    return b.op("LessOrEqual", b.op("Abs", tested[0]), FP16_LARGEST)


RULE = Rule(
    code="is-finite",
    title="The test for finite numbers becomes a comparison with the largest number of fp16",
    ops=("And",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("unsupported-operator", "runs-on-cpu", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.where(torch.isfinite(x), x, 0.0)", {"x": "float32[2,8]"}),
    after="torch.where(x.abs() <= 65504, x, 0.0)",
    negative=Example("(x > 0) & (x < 1)", {"x": "float32[2,8]"}),
)
