"""What ``self`` has: the layers and the values that a class of the file sets, as far as that is sure."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from aipc.source.scopes import Definition
from aipc.source.torch_names import MODULE_TYPES

from .frames import CallFrame
from .operators import Operators
from .resolve import HARMLESS_BASES, HARMLESS_DECORATORS
from .values import UNKNOWN, Constant, Function, ImportedName, Instance, Value

if TYPE_CHECKING:
    from aipc.source.blocks import Block
    from aipc.source.scopes import Program

    from .answers import Matrix


class Classes(Operators, ABC):
    """Knows the attributes and the methods of the classes of a file.

    One of three abstract layers of ``interpret.Interpreter``: each names what it needs of those above it.
    """

    def __init__(self, matrix: Matrix, program: Program) -> None:
        super().__init__(matrix, program)
        self.depends: dict[tuple[str, str], object] = {}
        """What of the file this looked at, by kind and name: the result holds as long as that stays the same."""
        self._attributes: dict[str, dict[str, Value]] = {}
        self._stores: dict[str, Value] | None = None
        self._opaque = False

    @abstractmethod
    def evaluate(self, node: ast.expr, frame: CallFrame) -> Value:
        """The value of an expression (``expressions``)."""

    @abstractmethod
    def call_function(
        self, function: Function, positional: list[Value], keywords: dict[str, Value], *, complete: bool
    ) -> Value:
        """What a function of the file returns (``invocations``)."""

    @abstractmethod
    def module_frame(self, block: Block) -> CallFrame:
        """The names of the module that ``block`` is part of (``expressions``)."""

    def store(self, owner: Instance, name: str, value: Value) -> None:
        if self._stores is not None:
            # What is set where it is not sure that the code runs is one of several values.
            self._stores[name] = value if not self.quiet or self._stores.get(name) == value else UNKNOWN

    def lines_of(self, name: str) -> list[str]:
        """A class and its ancestors in the file; the file is depended on for each."""
        lines = self.program.line(name)
        for item in lines:
            self.depends["name", item] = self.program.classes[item][1]
        return lines

    def is_module(self, name: str) -> bool:
        """Whether a class surely is an nn.Module whose every ancestor is known."""
        modules = False
        for item in self.lines_of(name):
            node, block = self.program.classes[item]
            if node.keywords:
                return False
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in self.program.classes:
                    continue
                value = self.evaluate(base.value if isinstance(base, ast.Subscript) else base, self.module_frame(block))
                if not isinstance(value, ImportedName) or value.name not in MODULE_TYPES | HARMLESS_BASES:
                    return False
                modules |= value.name in MODULE_TYPES
        return modules

    def method(self, name: str, method: str, after: str = "") -> tuple[Definition, Block, str] | None:
        """The definition that a class has or inherits, and the class that it stands in; after one, for ``super()``."""
        line = self.lines_of(name)
        for item in line[line.index(after) + 1 if after in line else 0 :]:
            node, block = self.program.classes[item]
            methods = [part for part in node.body if isinstance(part, Definition) and part.name == method]
            if methods:
                return (methods[0], block, item) if len(methods) == 1 else None
        return None

    def plain_decorators(self, node: Definition, block: Block) -> bool:
        for decorator in node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = self.evaluate(target, self.module_frame(block))
            if not isinstance(value, ImportedName) or value.name not in HARMLESS_DECORATORS:
                return False
        return True

    def member(self, owner: Instance, name: str) -> Value:
        """``self.name``: what it surely is."""
        if self._stores is not None and name in self._stores:
            return self._stores[name]
        if name in self._overridden(owner.name) or name in self._stored_elsewhere():
            return UNKNOWN
        definition = self.method(owner.name, name)
        if definition is not None:
            node, block, _ = definition
            if not self.plain_decorators(node, block):
                return UNKNOWN
            static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
            return Function(node, block, {}, None if static else owner)
        return self.attributes(owner.name).get(name, UNKNOWN) if self._stores is None else UNKNOWN

    def _overridden(self, name: str) -> frozenset[str]:
        overridden = self.program.overridden(name)
        self.depends["overridden", name] = overridden
        return overridden

    def _stored_elsewhere(self) -> frozenset[str]:
        self.depends["stored", ""] = self.program.stored
        return self.program.stored

    def attributes(self, name: str) -> dict[str, Value]:
        """What the class body and ``__init__`` set, without what anything else may set again."""
        if name not in self._attributes:
            self._attributes[name] = {}  # while it is being found out
            self._attributes[name] = self._find_attributes(name)
        return self._attributes[name]

    def _find_attributes(self, name: str) -> dict[str, Value]:
        attributes: dict[str, Value] = {}
        line = self.lines_of(name)
        for item in reversed(line):
            node, block = self.program.classes[item]
            frame = self.module_frame(block)
            for part in node.body:
                if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name):
                    value = self.evaluate(part.value, frame)
                    attributes[part.targets[0].id] = value if isinstance(value, Constant) else UNKNOWN
        saved = (self._stores, self.quiet, self._opaque)
        self._stores, self.quiet, self._opaque = {}, 0, False
        try:
            self.run_init(Instance(name, True), "")
            stores, opaque = self._stores, self._opaque
        finally:
            self._stores, self.quiet, self._opaque = saved
        if opaque:
            return {}
        attributes.update(stores)
        for item in line:
            node, block = self.program.classes[item]
            key = f"set later {item}"
            if key not in block.memory:
                block.memory[key] = _set_later(node, block)
            attributes.update(dict.fromkeys(block.memory[key], UNKNOWN))
        return attributes

    def run_init(self, owner: Instance, after: str) -> None:
        """Run the ``__init__`` of a class, or the next one after a class in its line of ancestors."""
        init = self.method(owner.name, "__init__", after)
        if init is None:
            return
        node, block, _ = init
        key = f"opaque {id(node)}"
        if key not in block.memory:
            block.memory[key] = any(map(_sets_by_name, block.within(node)))
        self._opaque |= block.memory[key]
        self.call_function(Function(node, block, {}, owner), [], {}, complete=False)


def _set_later(node: ast.ClassDef, block: Block) -> set[str]:
    """Attributes that methods other than ``__init__`` set."""
    return {
        item.attr
        for method in node.body
        if isinstance(method, Definition) and method.name != "__init__"
        for item in block.within(method)
        if isinstance(item, ast.Attribute) and not isinstance(item.ctx, ast.Load)
    }


def _sets_by_name(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("__dict__", "add_module", "register_module", "__setattr__")
    return isinstance(node, ast.Name) and node.id in ("setattr", "exec", "vars", "locals")
