"""Gemm with factors, as a matrix product, multiplications and a sum."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    values = [read.required(node, place) for place in (0, 1)]
    if not read.is_float(values[0]):
        raise NoMatch("it multiplies integers")
    sides = [
        b.transpose(value, [1, 0]) if node.attributes.get_int(name, 0) else value
        for value, name in zip(values, ("transA", "transB"), strict=True)
    ]
    alpha, beta = node.attributes.get_float("alpha", 1.0), node.attributes.get_float("beta", 1.0)
    product = b.op("MatMul", *sides)
    if alpha != 1.0:
        product = b.op("Mul", product, alpha)
    added = read.argument(node, 2)
    if added is None:
        return product
    return b.op("Add", product, added if beta == 1.0 else b.op("Mul", added, beta))


RULE = Rule(
    code="gemm",
    title="A matrix product with factors becomes a plain product, multiplications and a sum",
    ops=("Gemm",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example(
        "torch.addmm(x, y, z, beta=0.5, alpha=2.0)",
        {"x": "float32[6,10]", "y": "float32[6,8]", "z": "float32[8,10]"},
    ),
    after="2.0 * (y @ z) + 0.5 * x",
    negative=Example("x @ y", {"x": "float32[6,8]", "y": "float32[8,10]"}),
    more=(Example("torch.addmm(torch.arange(10.0), y, z, alpha=0.25)", {"y": "float32[6,8]", "z": "float32[8,10]"}),),
)
