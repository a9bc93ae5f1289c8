"""Einsum in the author's source, as permutations and a product."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from ..site import NoEdit, Site, is_simple

_MAX_RANK = 5
_PLACEHOLDERS = ("\0", "\1")


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    labels: str

    def arranged(self, order: str) -> str:
        """The operand with its axes in this order."""
        return f"{self.text}{permuted(self.labels, order)}"


def source_edit(site: Site) -> str | None:
    """The shortest text for an equation of one or two operands, each axis with a label of its own."""
    call = site.call
    if site.syntax.resolve(call.func) not in ("torch.einsum", "torch.functional.einsum") or call.keywords:
        return None
    equation, *operands = call.args
    if len(operands) == 1 and isinstance(operands[0], (ast.List, ast.Tuple)):
        operands = operands[0].elts
    if not isinstance(equation, ast.Constant) or not isinstance(equation.value, str):
        return None
    if not 1 <= len(operands) <= 2 or any(isinstance(item, ast.Starred) for item in operands):
        return None
    labels, result = parse_equation(equation.value, len(operands))
    if len(operands) == 1:
        return _of_one(_Term(site.operand(operands[0]), labels[0]), result)
    texts = _of_two([_Term(*item) for item in zip(_PLACEHOLDERS, labels, strict=True)], result)
    text = min(texts, key=_cost)
    for mark, operand, hint in zip(_PLACEHOLDERS, operands, ("left", "right"), strict=True):
        again = text.count(mark) > 1 and not is_simple(operand)
        text = text.replace(mark, site.repeated(operand, hint) if again else site.operand(operand))
    return text


def parse_equation(equation: str, operands: int) -> tuple[list[str], str]:
    """The labels of every operand and of the result.

    Raises:
        NoEdit: a label stands twice in a term, or axes have no label.
    """
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        result = "".join(sorted(item for item in set(left) - {","} if left.count(item) == 1))
    if len(terms) != operands or not all(term.isalpha() for term in terms) or not set(result) <= set(left) - {","}:
        raise NoEdit("the axes do not all have labels")
    if any(len(set(term)) != len(term) or len(term) > _MAX_RANK for term in (*terms, result)):
        raise NoEdit("a label stands twice, or the NPU takes no tensor with as many axes")
    return terms, result


def _of_one(x: _Term, result: str) -> str:
    text, remaining = _summed(x, set(result))
    return text + permuted(remaining, result)


def _summed(x: _Term, keep: set[str]) -> tuple[str, str]:
    axes = [axis for axis, item in enumerate(x.labels) if item not in keep]
    if not axes:
        return x.text, x.labels
    return f"{x.text}.sum({_tuple(axes)})", "".join(item for item in x.labels if item in keep)


def _of_two(terms: list[_Term], result: str) -> Iterator[str]:
    """Every way to write it, in both orders of the operands and several of their axes."""
    first, second = (_Term(*_summed(term, set(result + other.labels))) for term, other in (terms, reversed(terms)))
    for x, y in ((first, second), (second, first)):
        if set(x.labels) & set(y.labels) <= set(result):
            yield from _elementwise(x, y, result)
        else:
            yield from _contracted(x, y, result)


def _elementwise(x: _Term, y: _Term, result: str) -> Iterator[str]:
    factors = []
    for term in (x, y):
        order = "".join(item for item in result if item in term.labels)
        places = [":" if item in term.labels else "None" for item in result]
        while places and places[0] == "None":
            places.pop(0)
        text = term.arranged(order)
        factors.append(f"{text}[{', '.join(places)}]" if "None" in places else text)
    yield " * ".join(factors)


def _contracted(x: _Term, y: _Term, result: str) -> Iterator[str]:
    shared = [item for item in x.labels if item in y.labels]
    batch_labels, summed = ({item for item in shared if (item in result) == wanted} for wanted in (True, False))
    own = [{item for item in term.labels if item not in shared} for term in (x, y)]
    for batch, left, right, inner in product(
        _orders(batch_labels, result, x.labels, y.labels),
        _orders(own[0], result, x.labels),
        _orders(own[1], result, y.labels),
        _orders(summed, x.labels, y.labels),
    ):
        at = len(batch)
        # A vector times a matrix is a matrix with one row.
        first = min(_grouped(x, batch, left, inner), key=_cost) + ("" if left else f".unsqueeze({at})")
        second = min(_grouped(y, batch, inner, right), key=_cost) + ("" if right else ".unsqueeze(-1)")
        text = f"({first} @ {second})" + _unfolded(y, at + 1, right) + _unfolded(x, at, left)
        text += permuted(batch + left + right, result)
        yield text[1:-1] if text == f"({first} @ {second})" else text


def _grouped(term: _Term, batch: str, *groups: str) -> Iterator[str]:
    """An operand with each group of its axes as one, which may be done before they are moved and after."""
    order, at = batch + "".join(groups), len(batch)
    text = term.arranged(order)
    for group, start in ((groups[1], at + len(groups[0])), (groups[0], at)):
        text += _flattened(start, len(group), start + len(group) == len(order))
    yield text
    if all(group in term.labels for group in groups):
        text, labels = term.text, term.labels
        for group in sorted(groups, key=labels.find, reverse=True):
            start = labels.find(group)
            text += _flattened(start, len(group), start + len(group) == len(labels))
            labels = labels.replace(group[1:], "") if group else labels
        yield text + permuted(labels, batch + "".join(group[:1] for group in groups))


def _cost(text: str) -> tuple[int, int]:
    """Rearrangements first, then length."""
    return text.count(".permute(") + text.count(".transpose("), len(text)


def _orders(labels: set[str], *terms: str) -> list[str]:
    return sorted({"".join(item for item in term if item in labels) for term in terms})


def _flattened(start: int, count: int, last: bool) -> str:
    if count < 2:
        return ""
    return f".flatten({start})" if last else f".flatten({start}, {start + count - 1})"


def _unfolded(term: _Term, at: int, group: str) -> str:
    if len(group) == 1:
        return ""
    return f".unflatten({at}, {_sizes(term, group)})" if group else f".squeeze({at})"


def _sizes(term: _Term, group: str) -> str:
    start = term.labels.find(group)
    if start < 0:
        return f"({', '.join(f'{term.text}.shape[{term.labels.index(item)}]' for item in group)})"
    end = start + len(group)
    return f"{term.text}.shape[{start or ''}:{'' if end == len(term.labels) else end}]"


def permuted(labels: str, order: str) -> str:
    """``.permute(...)`` or ``.transpose(...)`` from the one order to the other; empty for none."""
    axes = [labels.index(item) for item in order]
    moved = [place for place, axis in enumerate(axes) if place != axis]
    if not moved:
        return ""
    return f".transpose({moved[0]}, {moved[1]})" if len(moved) == 2 else f".permute({', '.join(map(str, axes))})"


def _tuple(axes: list[int]) -> str:
    return str(axes[0]) if len(axes) == 1 else f"({', '.join(map(str, axes))})"
