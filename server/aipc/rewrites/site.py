"""A call that a rule may edit: what it calls, with what, and the text that takes its place."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aipc.source.built_modules import Built, find_module
from aipc.source.imports import bindings_of
from aipc.source.syntax import Syntax

_EAGER = (ast.Call, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.List, ast.keyword, ast.Starred, ast.Subscript)
_BODY = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr, ast.Assert)
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Tuple)


class NoEdit(Exception):  # noqa: N818 - an answer, not an error
    """The text does not tell enough, or the edit would not read well."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a call computes: a function, a tensor's method or a module.

    Args:
        name: the function's name, also of a method or a module: ``celu`` for ``F.celu`` and ``nn.CELU``.
        operands: what is given at the call, in order.
        options: name -> the rest, where it is given: at the call, or where the module is built.
        module: how the module is written at the call (``self.act``), if it is one.
        prefix: what a function's name is written after at the call: ``F.``.
    """

    name: str
    operands: tuple[ast.expr, ...]
    options: dict[str, ast.expr]
    module: str = ""
    prefix: str = ""

    def value(self, name: str, default: Any = None) -> Any:
        """An option that is a literal; ``default`` where it is not given.

        Raises:
            NoEdit: it is given and is no literal.
        """
        if name not in self.options:
            return default
        try:
            return ast.literal_eval(self.options[name])
        except (ValueError, SyntaxError, TypeError):
            raise NoEdit(f"{name} is computed") from None


@dataclass
class Site:
    """A call in a file. A rule reads it and asks it for names; the rule's answer is the text for the call.

    Args:
        statements: assignments to stand before the statement of the call.
        imports: module names to import (``torch``, ``torch.nn.functional``).
    """

    call: ast.Call
    syntax: Syntax
    statements: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    _fresh: set[str] = field(default_factory=set)

    def operation(
        self, names: str, parameters: str, *, homes: str = "torch", method: bool = False, module: str = ""
    ) -> Operation | None:
        """The call as one of the operations ``names``, or None.

        Args:
            names: function names, one or more.
            parameters: the names of the function's parameters in order, the first of which is the tensor.
            homes: where functions of these names are: ``torch``, ``torch.nn.functional``.
            method: whether tensors have a method of these names.
            module: the name of a class of ``torch.nn`` and of its parameters in order, where it does the same.

        Raises:
            NoEdit: the arguments are not all told apart.
        """
        wanted, call = parameters.split(), self.call
        full = self.syntax.resolve(call.func)
        name = full.rpartition(".")[2]
        if name in names.split() and full in [f"{home}.{name}" for home in homes.split()]:
            return _bound(name, call, wanted, prefix=self.text(call.func)[: -len(name)])
        if not isinstance(call.func, ast.Attribute):
            return None
        built = find_module(self.syntax, call.func)
        if built is not None:
            return _of_module(built, call, names.split()[0], module.split(), self.text(call.func))
        receiver, name = call.func.value, call.func.attr
        if not method or name not in names.split() or full or self._is_self(receiver):
            return None
        return _bound(name, call, wanted, receiver=receiver)

    def _is_self(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in ("self", "cls")

    def text(self, node: ast.expr) -> str:
        """The expression as it is written."""
        return self.syntax.text_of(node)

    def operand(self, node: ast.expr) -> str:
        """The expression so that a method can be called on it."""
        text = self.text(node)
        return text if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)) else f"({text})"

    def repeated(self, node: ast.expr, hint: str = "x") -> str:
        """The expression so that it may be written twice: a name, made by an assignment where it is none."""
        return self.text(node) if is_simple(node) else self.assigned(self.text(node), hint)

    def assigned(self, text: str, hint: str, *, may_overwrite: bool = False) -> str:
        """A name for an expression, by an assignment before the statement of the call.

        Args:
            may_overwrite: the rest reads nothing but this name, so that the target of ``y = call(...)`` will do.

        Raises:
            NoEdit: what stands before the statement is not surely evaluated once before the call.
        """
        statement = self.statement()
        name = self._target(statement, may_overwrite) or self._new_name(hint)
        bracketed = text if "\n" not in text and "\r" not in text else f"({text})"
        self.statements.append(f"{name} = {bracketed}")
        return name

    def statement(self) -> ast.stmt:
        """The statement of the call. Raises NoEdit where nothing can be put before it."""
        node: ast.AST = self.call
        while isinstance(parent := self.syntax.parents[node], _EAGER):
            node = parent
        if not isinstance(parent, _BODY) or any(isinstance(item, ast.NamedExpr) for item in ast.walk(parent)):
            raise NoEdit("the call may be evaluated not once")
        indent = self.syntax.lines[parent.lineno - 1].encode()[: parent.col_offset].decode()
        if indent.strip():
            raise NoEdit("the statement does not begin its line")
        return parent

    def _target(self, statement: ast.stmt, may_overwrite: bool) -> str:
        if not isinstance(statement, ast.Assign) or statement.value is not self.call or len(statement.targets) != 1:
            return ""
        target = statement.targets[0]
        if not isinstance(target, ast.Name):
            return ""
        read = any(isinstance(node, ast.Name) and node.id == target.id for node in ast.walk(self.call))
        return target.id if may_overwrite or not read else ""

    def _new_name(self, hint: str) -> str:
        used_names = self.syntax.names | self._fresh
        name = next(item for item in (hint, *(f"{hint}_{n}" for n in range(1, 10**6))) if item not in used_names)
        self._fresh.add(name)
        return name

    def torch(self) -> str:
        """What PyTorch is called in the file."""
        return self._imported("torch", "torch")

    def functional(self) -> str:
        """What ``torch.nn.functional`` is called in the file."""
        known = self._known("torch.nn.functional")
        if known:
            return known
        if "F" in self.syntax.names:
            nn = self._known("torch.nn")
            return f"{nn}.functional" if nn else f"{self.torch()}.nn.functional"
        return self._imported("torch.nn.functional", "F")

    def _known(self, module: str) -> str:
        for node in self.syntax.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for name, _ in bindings_of(node):
                    if self.syntax.imports.get(name) == module:
                        return name
        return ""

    def _imported(self, module: str, name: str) -> str:
        known = self._known(module)
        if known:
            return known
        if module not in self.imports:
            if name in self.syntax.names and self.syntax.imports.get(name) != module:
                raise NoEdit(f"{name} is another thing in this file")
            self.imports.append(module)
        return name

    def in_place(self, text: str) -> str:
        """The text in brackets where it needs them in the place of the call."""
        parsed = ast.parse(text, mode="eval").body
        parent = self.syntax.parents[self.call]
        free = isinstance(parent, (ast.stmt, ast.keyword)) or (
            isinstance(parent, (ast.Call, ast.List, ast.Tuple)) and self.call is not getattr(parent, "func", None)
        )
        return text if free or isinstance(parsed, _ATOMS) else f"({text})"


def _bound(
    name: str, call: ast.Call, parameters: list[str], *, prefix: str = "", receiver: ast.expr | None = None
) -> Operation:
    first = [] if receiver is None else [receiver]
    arguments = bind([*first, *call.args], call.keywords, parameters)
    if parameters[0] not in arguments:
        raise NoEdit("the tensor is not given by position or name")
    options = {key: item for key, item in arguments.items() if key != parameters[0]}
    return Operation(name, (arguments[parameters[0]],), options, prefix=prefix)


def _of_module(built: Built, call: ast.Call, name: str, module: list[str], text: str) -> Operation | None:
    if not module or built.kind != module[0]:
        return None
    if call.keywords or len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
        raise NoEdit("the module is not called with one tensor")
    return Operation(name, (call.args[0],), bind(built.call.args, built.call.keywords, module[1:]), module=text)


def bind(args: Iterable[ast.expr], keywords: Iterable[ast.keyword], parameters: list[str]) -> dict[str, ast.expr]:
    """Parameter -> argument. Raises NoEdit where a star hides what is what, or an argument has no parameter."""
    positional = list(args)
    if any(isinstance(item, ast.Starred) for item in positional) or len(positional) > len(parameters):
        raise NoEdit("the arguments cannot be told apart")
    arguments = dict(zip(parameters, positional, strict=False))
    for keyword in keywords:
        if keyword.arg not in parameters or keyword.arg in arguments:
            raise NoEdit(f"{keyword.arg} is not expected")
        arguments[keyword.arg] = keyword.value
    return arguments


def is_simple(node: ast.expr) -> bool:
    """Whether the expression may be written twice: a name or an attribute of one."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and is_simple(node.value))
