"""Which module of ``torch.nn`` an attribute is, as far as the text of its class tells."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeGuard

from .syntax import Syntax
from .torch_names import canonical


@dataclass(frozen=True, slots=True)
class Built:
    """A module where it is built: its class in ``torch.nn`` and the call that builds it."""

    kind: str
    call: ast.Call


def find_module(syntax: Syntax, attribute: ast.Attribute) -> Built | None:
    """What ``self.norm`` is in a method: the one thing that the class assigns to it, in ``__init__``."""
    owner = syntax.enclosing(attribute, ast.ClassDef)
    method = syntax.enclosing(attribute, ast.FunctionDef)
    if not isinstance(owner, ast.ClassDef) or not isinstance(method, ast.FunctionDef):
        return None
    if syntax.parents.get(method) is not owner or not _is_first_parameter(attribute.value, method):
        return None
    assignments: list[tuple[str, ast.expr | None]] = []
    for item in owner.body:
        if isinstance(item, ast.FunctionDef):
            assignments += [(item.name, value) for value in _assigned(item, attribute.attr)]
        elif isinstance(item, (ast.Assign, ast.AnnAssign)) and _binds(item, attribute.attr):
            assignments.append(("", item.value))
    if len(assignments) != 1 or assignments[0][0] != "__init__":
        return None
    value = assignments[0][1]
    if not isinstance(value, ast.Call):
        return None
    home, _, kind = canonical(syntax.resolve(value.func)).rpartition(".")
    return Built(kind, value) if home in ("torch.nn", "torch.nn.modules") else None


def _is_first_parameter(node: ast.expr, method: ast.FunctionDef) -> bool:
    parameters = [*method.args.posonlyargs, *method.args.args]
    return isinstance(node, ast.Name) and bool(parameters) and node.id == parameters[0].arg


def _assigned(method: ast.FunctionDef, name: str) -> list[ast.expr | None]:
    """What a method assigns to ``self.name``; None for what is assigned in parts, or deleted."""
    values: list[ast.expr | None] = []
    for node in ast.walk(method):
        if not isinstance(node, ast.Attribute) or node.attr != name or isinstance(node.ctx, ast.Load):
            continue
        if not _is_first_parameter(node.value, method):
            continue
        whole = [item.value for item in ast.walk(method) if _is_whole(item, node)]
        values.append(whole[0] if whole else None)
    return values


def _is_whole(statement: ast.AST, target: ast.Attribute) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    if isinstance(statement, ast.Assign):
        return target in statement.targets
    return isinstance(statement, ast.AnnAssign) and statement.target is target


def _binds(statement: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets) and statement.value is not None
