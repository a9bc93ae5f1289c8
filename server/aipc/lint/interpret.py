"""Follows a function's statements in order with what is known of every value, and notes what the matrix surely says.

Where it is not known whether a statement runs, nothing is said of it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from aipc.source.imports import STAR, bindings_of
from aipc.source.torch_names import canonical
from aipc.source.trees import walk

from .expressions import Expressions
from .frames import CallFrame
from .values import UNKNOWN, Constant, Each, Function, Instance, Items, Tensor, Value, join

_FALLS, _LEAVES, _RAISES = "falls", "leaves", "raises"


class Interpreter(Expressions):
    """Runs functions; see ``expressions`` and ``invocations`` for what it does with them."""

    def run_body(self, function: Function, frame: CallFrame) -> Value:
        """Run a function with its parameters bound, and return what it returns."""
        quiet = self.quiet
        try:
            if isinstance(function.node, ast.Lambda):
                return self.evaluate(function.node.body, frame)
            self.execute(function.node.body, frame)
        finally:
            self.quiet = quiet
        if not frame.results:
            return UNKNOWN
        value = frame.results[0]
        for other in frame.results[1:]:
            value = join(value, other)
        return value

    def execute(self, body: Sequence[ast.stmt], frame: CallFrame) -> str:
        for statement in body:
            self.step()
            handler = getattr(self, f"_{type(statement).__name__.lower()}", self._other)
            status = handler(statement, frame)
            if status in (_LEAVES, _RAISES):
                return str(status)
        return _FALLS

    def _other(self, statement: ast.stmt, frame: CallFrame) -> None:
        """A statement that is not followed: what it binds is unknown."""
        for node in walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                frame.names[node.id] = UNKNOWN
            elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
                frame.names[node.name] = UNKNOWN

    def _expr(self, statement: ast.Expr, frame: CallFrame) -> None:
        # Nobody uses the result: the exporter drops what made it.
        self.quiet += 1
        self.evaluate(statement.value, frame)
        self.quiet -= 1

    def _assign(self, statement: ast.Assign, frame: CallFrame) -> None:
        unused = all(isinstance(item, ast.Name) and not self.is_loaded(item.id, frame) for item in statement.targets)
        self.quiet += unused
        value = self.evaluate(statement.value, frame)
        self.quiet -= unused
        for target in statement.targets:
            self.assign(target, value, frame, statement.value)

    def _annassign(self, statement: ast.AnnAssign, frame: CallFrame) -> None:
        if statement.value is not None:
            self.assign(statement.target, self.evaluate(statement.value, frame), frame)

    def _augassign(self, statement: ast.AugAssign, frame: CallFrame) -> None:
        left = _loaded(statement.target)
        operation = ast.BinOp(left, statement.op, statement.value)
        operation = ast.copy_location(operation, statement)
        value = self.evaluate(operation, frame)
        self.assign(statement.target, value, frame)

    def _return(self, statement: ast.Return, frame: CallFrame) -> str:
        if statement.value is not None:
            frame.results.append(self.evaluate(statement.value, frame))
        return _LEAVES

    def _raise(self, statement: ast.Raise, frame: CallFrame) -> str:
        return _RAISES

    def _continue(self, statement: ast.Continue, frame: CallFrame) -> str:
        return _LEAVES

    def _break(self, statement: ast.Break, frame: CallFrame) -> str:
        return _LEAVES

    def _pass(self, statement: ast.Pass, frame: CallFrame) -> None:
        return None

    def _assert(self, statement: ast.Assert, frame: CallFrame) -> None:
        self.condition(statement.test, frame)

    def _global(self, statement: ast.Global, frame: CallFrame) -> None:
        frame.names.update(dict.fromkeys(statement.names, UNKNOWN))

    def _nonlocal(self, statement: ast.Nonlocal, frame: CallFrame) -> None:
        frame.names.update(dict.fromkeys(statement.names, UNKNOWN))

    def _delete(self, statement: ast.Delete, frame: CallFrame) -> None:
        self._other(statement, frame)

    def _import(self, statement: ast.Import, frame: CallFrame) -> None:
        self._bind_imports(statement, frame)

    def _importfrom(self, statement: ast.ImportFrom, frame: CallFrame) -> None:
        self._bind_imports(statement, frame)

    def _bind_imports(self, statement: ast.Import | ast.ImportFrom, frame: CallFrame) -> None:
        for name, qualified in bindings_of(statement):
            if name != STAR:
                frame.names[name] = self.reference(canonical(qualified))

    def _functiondef(self, statement: ast.FunctionDef, frame: CallFrame) -> None:
        known = not statement.decorator_list
        closure = {**frame.closure, **frame.names}
        frame.names[statement.name] = Function(statement, frame.block, closure) if known else UNKNOWN

    def _asyncfunctiondef(self, statement: ast.AsyncFunctionDef, frame: CallFrame) -> None:
        frame.names[statement.name] = UNKNOWN

    def _classdef(self, statement: ast.ClassDef, frame: CallFrame) -> None:
        frame.names[statement.name] = UNKNOWN

    def _if(self, statement: ast.If, frame: CallFrame) -> str:
        decision = self.condition(statement.test, frame)
        if decision is not None:
            return self.execute(statement.body if decision else statement.orelse, frame)
        before = dict(frame.names)
        self.quiet += 1
        first = self.execute(statement.body, frame)
        after, frame.names = frame.names, before
        second = self.execute(statement.orelse, frame)
        self.quiet -= 1
        if first != _FALLS and second != _FALLS:
            return _LEAVES if _LEAVES in (first, second) else _RAISES
        if first == second:
            frame.names = _joined(after, frame.names)
        elif second != _FALLS:
            frame.names = after
        if _LEAVES in (first, second):
            self.quiet += 1  # the rest of the function may not run; run_body resets this
        return _FALLS

    def _for(self, statement: ast.For, frame: CallFrame) -> None:
        value = self.elements(self.evaluate(statement.iter, frame), statement.iter, frame)
        self._loop(statement, frame, value)

    def _loop(self, statement: ast.For | ast.While, frame: CallFrame, value: Value | None) -> None:
        quiet = self.quiet
        before = dict(frame.names)
        self.quiet += 1  # once to see what changes from one turn to the next
        self._turn(statement, frame, value)
        self.quiet = quiet
        frame.names = _joined(before, frame.names)
        self._turn(statement, frame, value)
        self.quiet = quiet
        frame.names = _joined(before, frame.names)
        if any(isinstance(node, ast.Return) for item in statement.body for node in walk(item)):
            self.quiet += 1
        self.execute(statement.orelse, frame)

    def _turn(self, statement: ast.For | ast.While, frame: CallFrame, value: Value | None) -> None:
        if isinstance(statement, ast.For):
            self.assign(statement.target, value or UNKNOWN, frame)
        else:
            self.condition(statement.test, frame)
            self.quiet += 1
        self.execute(statement.body, frame)

    def _while(self, statement: ast.While, frame: CallFrame) -> None:
        self._loop(statement, frame, None)

    def _with(self, statement: ast.With, frame: CallFrame) -> str:
        for item in statement.items:
            self.evaluate(item.context_expr, frame)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, UNKNOWN, frame)
        return self.execute(statement.body, frame)

    def _try(self, statement: ast.Try, frame: CallFrame) -> None:
        before = dict(frame.names)
        left = self.execute(statement.body, frame) != _FALLS
        for handler in statement.handlers:
            inside = CallFrame(frame.block, dict(before), frame.closure, frame.node, frame.owner, frame.results)
            if handler.name:
                inside.names[handler.name] = UNKNOWN
            quiet_before = self.quiet
            self.quiet += 1
            self.execute(handler.body, inside)
            self.quiet = quiet_before
            frame.names = _joined(frame.names, inside.names)
        self.execute(statement.orelse, frame)
        self.execute(statement.finalbody, frame)
        self.quiet += left

    def assign(self, target: ast.expr, value: Value, frame: CallFrame, source: ast.expr | None = None) -> None:
        """Give a target its value, part by part."""
        if isinstance(target, ast.Name):
            frame.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value, frame)
            self._learn_rank(target.elts, source, frame)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, UNKNOWN, frame)
        elif isinstance(target, ast.Attribute):
            base = self.evaluate(target.value, frame)
            if isinstance(base, Instance) and base.itself:
                self.store(base, target.attr, value)
        elif isinstance(target, ast.Subscript):
            base_name = target.value
            if isinstance(base_name, ast.Name) and not isinstance(frame.names.get(base_name.id), Tensor):
                frame.names[base_name.id] = UNKNOWN

    def _unpack(self, targets: Sequence[ast.expr], value: Value, frame: CallFrame) -> None:
        exact = isinstance(value, Items) and len(value.items) == len(targets)
        starred = any(isinstance(item, ast.Starred) for item in targets)
        for index, target in enumerate(targets):
            part: Value = UNKNOWN
            if isinstance(value, Items) and exact and not starred:
                part = value.items[index]
            elif isinstance(value, Each) and not starred:
                part = _column(value, index)
            self.assign(target, part, frame)

    def _learn_rank(self, targets: Sequence[ast.expr], source: ast.expr | None, frame: CallFrame) -> None:
        """``b, c, h, w = x.shape`` says that x is a tensor of rank 4."""
        if isinstance(source, ast.Call) and not source.args and isinstance(source.func, ast.Attribute):
            source = source.func if source.func.attr == "size" else None
        if not isinstance(source, ast.Attribute) or source.attr not in ("shape", "size"):
            return
        if any(isinstance(item, ast.Starred) for item in targets) or not isinstance(source.value, ast.Name):
            return
        known = frame.names.get(source.value.id)
        if isinstance(known, Tensor):
            frame.names[source.value.id] = Tensor(
                len(targets), known.dtype, known.sure, known.varies, known.made_by, known.pending
            )


def _column(value: Each, index: int) -> Value:
    parts = [item.items[index] for item in value.items if isinstance(item, Items) and index < len(item.items)]
    if len(parts) == len(value.items) and parts:
        return Each(tuple(parts)) if any(not isinstance(part, (Constant, Tensor)) for part in parts) else parts[0]
    tensors = [item for item in value.items if isinstance(item, Tensor)]
    return tensors[0] if len(tensors) == 1 == len(value.items) else UNKNOWN


def _joined(one: Mapping[str, Value], other: Mapping[str, Value]) -> dict[str, Value]:
    if one is other:
        return dict(one)
    return {
        name: join(one[name], other[name]) if name in one and name in other else UNKNOWN for name in {**one, **other}
    }


def _loaded(target: ast.expr) -> ast.expr:
    """The same expression, to be read."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target
