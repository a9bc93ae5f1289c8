"""Asinh, Acosh and Atanh, from logarithms."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule


def _log_of_sum(b: Builder, x: ir.Value, y: ir.Value) -> ir.Value:
    """log(x + y) by half of the sum: the NPU's logarithm is wrong above 65504."""
    half = b.op("Add", b.op("Mul", x, 0.5), b.op("Mul", y, 0.5))
    return b.op("Add", b.op("Log", half), math.log(2))


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    if node.op_type == "Atanh":
        ratio = b.op("Div", b.op("Add", x, 1.0), b.op("Add", b.op("Neg", x), 1.0))
        return b.op("Mul", b.op("Log", ratio), 0.5)
    if node.op_type == "Acosh":
        root = b.op("Mul", b.op("Sqrt", b.op("Sub", x, 1.0)), b.op("Sqrt", b.op("Add", x, 1.0)))
        return _log_of_sum(b, x, root)
    # sqrt(x^2 + 1) as larger * sqrt(1 + (smaller / larger)^2): x^2 leaves the range of fp16 at 362.
    size = b.op("Abs", x)
    large, small = b.op("Max", size, 1.0), b.op("Min", size, 1.0)
    ratio = b.op("Div", small, large)
    root = b.op("Mul", large, b.op("Sqrt", b.op("Add", b.op("Mul", ratio, ratio), 1.0)))
    return b.op("Mul", b.op("Sign", x), _log_of_sum(b, size, root))


RULE = Rule(
    code="inverse-hyperbolic",
    title="Asinh, Acosh and Atanh become logarithms that do not overflow",
    ops=(
        "Asinh",
        "Acosh",
        "Atanh",
    ),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("torch.asinh(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="torch.sign(x) * torch.log(x.abs() + torch.sqrt(x * x + 1))",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(
        Example("torch.acosh(x)", {"x": "torch.linspace(1.01, 9, 96).reshape(2, 3, 16)"}),
        Example("torch.atanh(x)", {"x": "torch.linspace(-0.99, 0.99, 96).reshape(2, 3, 16)"}),
    ),
)
