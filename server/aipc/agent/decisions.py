"""Decisions of a source that depend on the values of a model's inputs, and the same source with each of them recorded.

A rewrite that removes a decision has to be judged on inputs that take each of its sides. Which those are is known only
by running the original: its text is written again with every such decision passed through :func:`observe`.

Kinds: tests of ``if``, ``while``, conditional expressions and comprehensions; loops whose number of rounds is a value;
comparisons, whose result may be a tensor (a mask). Tests of shapes, types and configuration are left out: no input of
the model's fixed shapes takes their other side.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SHAPE_ATTRIBUTES = {"shape", "ndim", "dtype", "device", "is_cuda", "requires_grad", "layout", "names"}
_SHAPE_CALLS = {
    "size",
    "dim",
    "numel",
    "len",
    "isinstance",
    "hasattr",
    "type",
    "is_floating_point",
    "is_complex",
    "stride",
}
_CONVERSIONS = {"item", "tolist", "int", "float", "bool", "nonzero", "argwhere", "unique", "masked_select", "numpy"}
"""What turns values of tensors into Python numbers, or into sizes."""
_NOT_RUN_ON_INPUTS = {"__init__", "__new__", "reset_parameters", "_init_weights", "example_inputs", "extra_repr"}
_NAME = "_aipc_observe"


@dataclass(frozen=True, slots=True)
class Decision:
    """One place of a source where values decide. Lines count from 1."""

    file: str
    line: int
    end_line: int
    kind: str
    """``test``, ``loop`` or ``mask``."""
    text: str
    converted: bool = False
    """The function turns tensors into the numbers that are read here; elsewhere only a tensor counts as a value."""

    @property
    def sides(self) -> tuple[str, ...]:
        return () if self.kind == "loop" else ("true", "false")


@dataclass(frozen=True, slots=True)
class Side:
    """One outcome of a decision."""

    decision: Decision
    outcome: str

    @property
    def message(self) -> str:
        where = f"line {self.decision.line} (`{self.decision.text}`)"
        if self.decision.kind == "loop":
            return f"no input was found for which the loop of {where} runs {self.outcome}"
        if self.decision.kind == "mask":
            return f"no input was found for which {where} is {self.outcome} anywhere"
        return f"no input was found for which {where} is {self.outcome}"


def instrument(text: str, file: str, first: int = 0) -> tuple[str, tuple[Decision, ...]]:
    """The text with its decisions observed, and these in the order of their numbers, which begin at ``first``.

    The lines of the new text are not those of the old one.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(text, file)
    visitor = _Visitor(text, file, first)
    tree = visitor.visit(tree)
    imported = ast.ImportFrom("aipc.agent.decisions", [ast.alias("observe", _NAME)], 0)
    tree.body.insert(sum(1 for _ in itertools.takewhile(_comes_first, tree.body)), imported)
    return ast.unparse(ast.fix_missing_locations(tree)), tuple(visitor.decisions)


def _comes_first(node: ast.stmt) -> bool:
    """Whether a statement is a docstring or an import from ``__future__``, which nothing may precede."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def constants(text: str) -> tuple[float, ...]:
    """Numbers that the text compares with: where the sides of its decisions part."""
    numbers: set[float] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            for item in ast.walk(node):
                if isinstance(item, ast.Constant) and isinstance(item.value, (int, float)) and abs(item.value) < 1e30:
                    numbers.add(float(item.value))
    return tuple(sorted(numbers))


_TENSOR = "a tensor"
_observed: set[tuple[int, str]] = set()


def observed() -> set[tuple[int, str]]:
    """Number and outcome of each side that was taken in this process since the set was last cleared."""
    return _observed


def observe(number: int, kind: str, value: Any) -> Any:
    """Record which side ``value`` takes, and return it."""
    if kind == "loop":
        return _Loop(number, value)
    if callable(getattr(value, "any", None)):
        _observed.add((number, _TENSOR))
    for outcome in _outcomes(value):
        _observed.add((number, outcome))
    return value


def open_sides(decisions: Sequence[Decision], branches: set[tuple[int, str]], first: int = 0) -> tuple[Side, ...]:
    """The sides that were not taken, of decisions that were reached and that values decide."""
    sides = []
    for number, decision in enumerate(decisions, first):
        reached = {outcome for at, outcome in branches if at == number}
        if decision.kind == "loop" and len(reached) == 1:
            sides.append(Side(decision, "another number of times"))
        elif reached and (decision.converted or _TENSOR in reached):
            sides += [Side(decision, outcome) for outcome in decision.sides if outcome not in reached]
    return tuple(sides)


def _outcomes(value: Any) -> Sequence[str]:
    any_, all_ = getattr(value, "any", None), getattr(value, "all", None)
    try:
        if callable(any_) and callable(all_):
            outcomes = ["true"] if bool(any_()) else []
            return outcomes if bool(all_()) else [*outcomes, "false"]
        return ["true" if value else "false"]
    except Exception:  # ambiguous or empty: what it does is the source's own affair
        return []


class _Loop:
    """An iterable that records how much it gave."""

    def __init__(self, number: int, values: Any) -> None:
        self._number, self._values = number, values

    def __iter__(self) -> Any:
        count = 0
        for item in self._values:
            count += 1
            yield item
        _observed.add((self._number, str(count)))


class _Visitor(ast.NodeTransformer):
    def __init__(self, text: str, file: str, first: int) -> None:
        self._text, self._file, self._first = text, file, first
        self.decisions: list[Decision] = []
        self._tainted: list[set[str]] = []
        self._converted: list[set[str]] = []
        self._skipped: set[int] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name in _NOT_RUN_ON_INPUTS:
            return node
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        names = {item.arg for item in parameters} - {"self", "cls"}
        names |= {item.arg for item in (node.args.vararg, node.args.kwarg) if item}
        self._tainted.append(_spread(node, names | (self._tainted[-1] if self._tainted else set())))
        self._converted.append(_spread(node, set(), self._tainted[-1]))
        node.body = [self.visit(item) for item in node.body]
        self._tainted.pop()
        self._converted.pop()
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        if any(isinstance(item, ast.Raise) for item in (*node.body, *node.orelse)):
            # Its other side is an error, not an answer.
            self._skipped |= {id(item) for item in ast.walk(node.test)}
        observed = self._test(node.test)
        self.generic_visit(node)
        node.test = observed(node.test)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        observed = self._test(node.test)
        self.generic_visit(node)
        node.test = observed(node.test)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        observed = self._test(node.test)
        self.generic_visit(node)
        node.test = observed(node.test)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node  # its other side is an error, not an answer

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        tests = [self._test(item) for item in node.ifs]
        self.generic_visit(node)
        node.ifs = [observed(item) for observed, item in zip(tests, node.ifs, strict=True)]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        # Only where a value makes the number of rounds; the elements of a container are always the same.
        counted = self._depends(node.iter) and self._is_converted(node.iter)
        observed = self._numbered(node.iter, "loop") if counted else None
        self.generic_visit(node)
        node.iter = observed(node.iter) if observed else node.iter
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if id(node) in self._skipped or any(
            isinstance(item, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for item in node.ops
        ):
            return self.generic_visit(node)
        observed = self._numbered(node, "mask") if self._depends(node) else None
        self.generic_visit(node)
        return observed(node) if observed else node

    def _test(self, test: ast.expr) -> Any:
        # A bare comparison is observed as such, with the same two sides.
        if id(test) in self._skipped or isinstance(test, ast.Compare) or not self._depends(test):
            return lambda item: item
        return self._numbered(test, "test")

    def _numbered(self, node: ast.expr, kind: str) -> Any:
        number = self._first + len(self.decisions)
        text = " ".join((ast.get_source_segment(self._text, node) or ast.unparse(node)).split())
        text = text if len(text) <= 80 else f"{text[:77]}..."
        end = node.end_lineno or node.lineno
        self.decisions.append(Decision(self._file, node.lineno, end, kind, text, self._is_converted(node)))

        def observed(item: ast.expr) -> ast.expr:
            arguments: list[ast.expr] = [ast.Constant(number), ast.Constant(kind), item]
            return ast.copy_location(ast.Call(ast.Name(_NAME, ast.Load()), arguments, []), node)

        return observed

    def _depends(self, node: ast.expr) -> bool:
        return bool(self._tainted) and _reads_values(node, self._tainted[-1])

    def _is_converted(self, node: ast.expr) -> bool:
        return bool(self._converted) and _reads(node, self._converted[-1], self._tainted[-1])


def _spread(function: ast.AST, names: set[str], values: set[str] | None = None) -> set[str]:
    """The names of a function whose values come from ``names``, through assignments in any order.

    Args:
        values: begin with what is converted from these names to Python numbers.
    """
    while True:
        before = len(names)
        for node in ast.walk(function):
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if node.value is not None and _reads(node.value, names, values):
                    names |= {item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)}
            elif isinstance(node, ast.For) and _reads(node.iter, names, values):
                names |= {item.id for item in ast.walk(node.target) if isinstance(item, ast.Name)}
        if len(names) == before:
            return names


def _reads(node: ast.AST, names: set[str], values: set[str] | None) -> bool:
    if _reads_values(node, names):
        return True
    calls = [item for item in ast.walk(node) if isinstance(item, ast.Call)] if values is not None else []
    return any(_called(item) in _CONVERSIONS and _reads_values(item, values or set()) for item in calls)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _reads_values(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression reads values of ``names``, not only their shapes, types or presence."""
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Attribute) and node.attr in _SHAPE_ATTRIBUTES:
        return False
    if isinstance(node, ast.Call) and _called(node) in _SHAPE_CALLS:
        return False
    if isinstance(node, ast.Compare) and any(isinstance(item, (ast.Is, ast.IsNot)) for item in node.ops):
        return False
    return any(_reads_values(child, names) for child in ast.iter_child_nodes(node))
