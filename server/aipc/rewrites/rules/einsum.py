"""Einsum as transpose, reshape, sum and matmul."""

from __future__ import annotations

import math
from collections import Counter

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._einsum_source import source_edit

_UNNAMED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parse(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """Labels of every operand and of the result. Axes under an ellipsis get capital letters, aligned at their end.

    Raises:
        NoMatch: the equation has capital letters of its own, or does not fit the ranks.
    """
    text = equation.replace(" ", "")
    if any(letter.isupper() for letter in text):
        raise NoMatch("the equation uses capital letters")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    hidden = max((size - len(term) + 3 for term, size in zip(terms, ranks, strict=True) if "..." in term), default=0)
    names = _UNNAMED[:hidden]

    def spelled(term: str, size: int | None) -> str:
        if "..." not in term:
            return term
        count = hidden if size is None else size - len(term) + 3
        return term.replace("...", names[hidden - count :])

    operands = [spelled(term, size) for term, size in zip(terms, ranks, strict=True)]
    if any(len(term) != size for term, size in zip(operands, ranks, strict=True)):
        raise NoMatch(f"the equation {equation} does not fit the ranks of its operands")
    if not arrow:
        counts = Counter("".join(operands))
        return operands, names + "".join(sorted(item for item in counts if counts[item] == 1 and item not in names))
    return operands, spelled(right, None)


def _diagonal(b: Builder, value: ir.Value, labels: str) -> tuple[ir.Value, str]:
    """Take the diagonal of every label that stands twice in one operand."""
    while repeated := next((item for item in labels if labels.count(item) > 1), None):
        first = labels.index(repeated)
        second = labels.index(repeated, first + 1)
        others = [axis for axis in range(len(labels)) if axis not in (first, second)]
        value = b.transpose(value, [*others, first, second])
        sizes = read.shape(value)
        side = sizes[-1]
        value = b.reshape(value, [*sizes[:-2], side * side])
        value = b.slice(value, len(sizes) - 2, 0, side * side, side + 1)
        labels = "".join(labels[axis] for axis in others) + repeated
    return value, labels


def _sum_out(b: Builder, value: ir.Value, labels: str, keep: set[str]) -> tuple[ir.Value, str]:
    axes = [axis for axis, item in enumerate(labels) if item not in keep]
    if not axes:
        return value, labels
    return b.reduce("ReduceSum", value, axes, keepdims=False), "".join(item for item in labels if item in keep)


def _drop_unit(b: Builder, value: ir.Value, labels: str, sizes: dict[str, int]) -> tuple[ir.Value, str]:
    """Axes of size 1 that are longer elsewhere broadcast: without them the operand is the same."""
    own = read.shape(value)
    axes = [axis for axis, item in enumerate(labels) if own[axis] == sizes[item]]
    return b.reshape(value, [own[axis] for axis in axes]), "".join(labels[axis] for axis in axes)


def _contract(
    b: Builder, x: tuple[ir.Value, str], y: tuple[ir.Value, str], keep: set[str], sizes: dict[str, int]
) -> tuple[ir.Value, str]:
    """Multiply two operands and sum over what both have and nobody needs any more, as one batched MatMul."""
    (first, left_labels), (second, right_labels) = x, y
    shared = [item for item in left_labels if item in right_labels]
    batch = [item for item in shared if item in keep]
    summed = [item for item in shared if item not in keep]
    left = [item for item in left_labels if item not in shared]
    right = [item for item in right_labels if item not in shared]

    def arranged(value: ir.Value, labels: str, groups: list[list[str]]) -> ir.Value:
        value = b.transpose(value, [labels.index(item) for group in groups for item in group])
        return b.reshape(value, [math.prod(sizes[item] for item in group) for group in groups])

    first = arranged(first, left_labels, [batch, left, summed])
    second = arranged(second, right_labels, [batch, summed, right])
    product = b.op("MatMul" if summed else "Mul", first, second)
    labels = "".join(batch + left + right)
    return b.reshape(product, [sizes[item] for item in labels]), labels


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    if not read.is_float(node.outputs[0]):
        raise NoMatch("only floating point is contracted by MatMul on the NPU")
    values = [read.required(node, index) for index in range(len(node.inputs))]
    equation = node.attributes.get_string("equation")
    operands, result = parse(equation, [read.rank(value) for value in values])
    sizes: dict[str, int] = {}
    for value, labels in zip(values, operands, strict=True):
        for item, size in zip(labels, read.shape(value), strict=True):
            sizes[item] = max(sizes.get(item, 1), size)
    parts = []
    for value, labels in zip(values, operands, strict=True):
        operand = _diagonal(b, value, labels)
        parts.append(_drop_unit(b, *operand, sizes))
    while True:
        for index, (value, labels) in enumerate(parts):
            elsewhere = set(result).union(*(other for place, (_, other) in enumerate(parts) if place != index))
            parts[index] = _sum_out(b, value, labels, elsewhere)
        if len(parts) == 1:
            break
        keep = set(result).union(*(labels for _, labels in parts[2:]))
        parts[:2] = [_contract(b, parts[0], parts[1], keep, sizes)]
    value, labels = parts[0]
    missing = [item for item in result if item not in labels]
    value = b.reshape(value, [*read.shape(value), *(1 for _ in missing)])
    labels += "".join(missing)
    value = b.transpose(value, [labels.index(item) for item in result])
    return b.expand(value, [sizes[item] for item in result])


RULE = Rule(
    code="einsum",
    title="Einsum becomes a batched MatMul between transposes and reshapes",
    ops=("Einsum",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("einsum", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example('torch.einsum("bmchw,bnmc->bmhwn", x, y)', {"x": "float32[2,3,4,5,6]", "y": "float32[2,7,3,4]"}),
    after="(x.flatten(3).transpose(2, 3) @ y.permute(0, 2, 3, 1)).unflatten(2, x.shape[3:])",
    negative=Example(
        'torch.einsum("ij,jk->ik", x, y)',
        {"x": "(torch.arange(12) % 5).reshape(3, 4)", "y": "torch.arange(8).reshape(4, 2)"},
    ),
    more=(
        Example('torch.einsum("bii->bi", x)', {"x": "float32[2,4,4]"}),
        Example('torch.einsum("bchw->bc", x)', {"x": "float32[2,3,4,5]"}),
        Example(
            'torch.einsum("ij,jk,kl->il", x, y, z)',
            {"x": "float32[3,4]", "y": "float32[4,5]", "z": "float32[5,6]"},
        ),
        Example('torch.einsum("...ij,...kj->...ik", x, y)', {"x": "float32[2,1,3,4]", "y": "float32[2,3,5,4]"}),
        Example('torch.einsum("i,j->ij", x, y)', {"x": "float32[5]", "y": "float32[7]"}),
        Example('torch.einsum("bhqd,bkd->bhqk", x, y)', {"x": "float32[2,3,5,4]", "y": "float32[2,6,4]"}),
    ),
)
