"""A call of an operator: what the matrix says of it, noted where it stands, and what it returns."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

from aipc.source.blocks import Block
from aipc.source.functions import NOTHING, FunctionFacts
from aipc.source.scopes import Program

from . import contexts, shapes
from .answers import Matrix, answer
from .calls import bind, first_tensor, values_of
from .rules import LintVerdict, say
from .values import TENSOR, UNKNOWN, Arguments, ImportedName, Tensor, Value, plain, tensors

_NEVER_ASKED = {"input", "dtype", "device", "out", "generator", "inplace", "layout", "self"}
_STEPS = 40_000


class TooMuchError(Exception):
    """The file would take too long to follow."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of the expression at ``node`` of a block."""

    block: Block
    node: ast.expr
    verdict: LintVerdict

    @property
    def key(self) -> tuple[int, int, int]:
        return (id(self.block), self.node.lineno, self.node.col_offset)


class Operators:
    """Looks calls up and collects what is found."""

    def __init__(self, matrix: Matrix, program: Program) -> None:
        self.matrix = matrix
        self.program = program
        self.notes: dict[tuple[object, ...], Note] = {}
        self.merged: set[tuple[int, int, int]] = set()
        """Keys of notes that turned out not to hold because of what comes after."""
        self.pending: set[tuple[int, int, int]] = set()
        self.quiet = 0
        """Above zero where it is not sure that the code runs."""
        self.argument_is_input = False
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps > _STEPS:
            raise TooMuchError

    @property
    def valid_notes(self) -> list[Note]:
        return [note for note in self.notes.values() if note.key not in self.merged]

    def reference(self, name: str) -> ImportedName:
        return ImportedName(name)

    def has_operator(self, name: str) -> bool:
        return name in self.matrix.variants

    def method_operator(self, name: str) -> str | None:
        """The operator of a tensor's method, the one that it is in place of for ``erf_``."""
        for candidate in (name, name.rstrip("_") if not name.endswith("__") else name):
            if self.has_operator(f"torch.Tensor.{candidate}"):
                return f"torch.Tensor.{candidate}"
        return None

    def arguments(
        self, operator: str, positional: list[Value], keywords: dict[str, Value], *, complete: bool, method: bool
    ) -> Arguments:
        parameters = self.matrix.parameters(operator)
        return bind(parameters, positional, keywords, complete=complete, method=method or _creates(operator))

    def apply(
        self,
        operator: str,
        arguments: Arguments,
        node: ast.expr,
        block: Block,
        receiver: Tensor | None = None,
        around: FunctionFacts = NOTHING,
        extra: dict[str, Any] | None = None,
    ) -> Value:
        """Note what is said of a call at ``node``, and return its value.

        Args:
            receiver: the tensor that a method or a layer is called on.
            around: the function that it stands in.
            extra: attributes of the matrix that are no parameters.
        """
        inputs = (
            *((receiver,) if receiver else ()),
            *(item for value in values_of(arguments) for item in tensors(value)),
        )
        first = receiver or first_tensor(arguments)
        returned = shapes.result(operator, arguments, first, inputs)
        if shapes.short_name(operator) in shapes.RESHAPES:
            self.merged.update(key for item in inputs for key in item.pending)
        elif isinstance(returned, Tensor) and shapes.short_name(operator) in shapes.KEEPS_VALUE and inputs:
            returned = replace(returned, pending=inputs[0].pending, made_by=inputs[0].made_by)
        if self.quiet or not any(item.varies for item in inputs):
            return returned
        verdict = self._ask(operator, arguments, first, extra or {})
        tensor = first if isinstance(first, Tensor) else None
        if verdict is None or contexts.undecided(
            operator, verdict.rule, tensor, around, argument_is_input=self.argument_is_input
        ):
            return returned
        note = self.note(block, node, verdict)
        if verdict.rule == "rank" and contexts.may_merge(operator) and isinstance(returned, Tensor):
            return replace(returned, pending=returned.pending | {note.key})
        return returned

    def note(self, block: Block, node: ast.expr, verdict: LintVerdict) -> Note:
        note = Note(block, node, verdict)
        return self.notes.setdefault((*note.key, node.end_lineno, node.end_col_offset, verdict.rule), note)

    def _ask(self, operator: str, arguments: Arguments, first: Value, extra: dict[str, Any]) -> LintVerdict | None:
        attributes: dict[str, Any] = {**arguments.defaults, **extra}
        for name, value in arguments.values.items():
            attributes[name] = plain(value)
        attributes = {
            name: value
            for name, value in attributes.items()
            if name not in _NEVER_ASKED and (value is not TENSOR or name in ("mask", "repeats", "attn_mask"))
        }
        if isinstance(first, Tensor):
            attributes["rank"] = UNKNOWN if first.rank is None else first.rank
            attributes["dtype"] = first.dtype or UNKNOWN
        equation = attributes.get("equation")
        label = equation if isinstance(equation, str) else ""
        return say(answer(self.matrix, operator, attributes), operator, self.matrix.soc, label)


def _creates(operator: str) -> bool:
    return operator.rpartition(".")[2] in {"randn", "rand", "zeros", "ones", "empty"}
