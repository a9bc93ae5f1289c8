"""Follows calls: of operators and layers, of the file's own functions, and of what the language brings."""

from __future__ import annotations

import ast
from abc import abstractmethod

from aipc.source.functions import facts_of
from aipc.source.parameters import parameters_of
from aipc.source.torch_names import TENSOR_TYPES, is_class

from .calls import values_of
from .classes import Classes
from .frames import CallFrame
from .resolve import ARRAY_METHODS
from .values import (
    UNKNOWN,
    Chain,
    Class,
    Constant,
    Each,
    Function,
    ImportedName,
    Instance,
    Items,
    Tensor,
    TorchLayer,
    Value,
    tensors,
)

DEPTH = 6
"""How many functions deep calls are followed."""
_SEQUENCES = {"torch.nn.ModuleList", "builtins.list", "builtins.tuple", "builtins.reversed", "builtins.iter"}
_FIXED = {"torch.nn.Parameter", "torch.nn.parameter.Parameter", "torch.nn.Buffer", "torch.nn.parameter.Buffer"}


class Invocations(Classes):
    """What a call gives, as far as that is sure."""

    _calls = 0

    @abstractmethod
    def run_body(self, function: Function, frame: CallFrame) -> Value:
        """Run a function with its parameters bound, and return what it returns (``interpret``)."""

    def _call_value(self, node: ast.Call, frame: CallFrame) -> Value:
        if isinstance(node.func, ast.Attribute):
            if _is_super(node.func.value):
                return self._super_call(node, node.func.attr, frame)
            base = self.evaluate(node.func.value, frame)
            if isinstance(base, Tensor):
                return self._method_call(node, node.func.attr, base, frame)
        callee = self.evaluate(node.func, frame)
        positional, keywords, complete = self._evaluated_arguments(node, frame)
        return self._called(callee, node, positional, keywords, complete, frame)

    def _evaluated_arguments(self, node: ast.Call, frame: CallFrame) -> tuple[list[Value], dict[str, Value], bool]:
        positional: list[Value] = []
        complete = True
        for argument in node.args:
            if not isinstance(argument, ast.Starred):
                positional.append(self.evaluate(argument, frame))
                continue
            value = self.evaluate(argument.value, frame)
            if isinstance(value, (Items, Chain)):
                positional.extend(value.items)
            else:
                positional.append(value)
                complete = False
        keywords = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            if keyword.arg is None:
                complete = False
            else:
                keywords[keyword.arg] = value
        return positional, keywords, complete

    def _called(
        self,
        callee: Value,
        node: ast.Call,
        positional: list[Value],
        keywords: dict[str, Value],
        complete: bool,
        frame: CallFrame,
    ) -> Value:
        everything = (*positional, *keywords.values())
        varies = any(item.varies for value in everything for item in tensors(value))
        if isinstance(callee, ImportedName):
            return self._imported(callee.name, node, positional, keywords, complete, frame)
        if isinstance(callee, TorchLayer):
            received = [item for value in positional for item in tensors(value)]
            receiver = received[0] if received else None
            if receiver is None or not receiver.varies:
                return Tensor(varies=varies, sure=False)
            return self.apply(
                callee.operator, callee.arguments, node, frame.block, receiver, facts_of(frame.node, frame.block)
            )
        if isinstance(callee, Chain):
            value: Value = positional[0] if positional else UNKNOWN
            for item in callee.items:
                value = self._called(item, node, [value], {}, True, frame)
            return value
        if isinstance(callee, Each):
            results = [self._called(item, node, positional, keywords, complete, frame) for item in callee.items]
            return results[0] if len(results) == 1 else Tensor(varies=varies, sure=False)
        if isinstance(callee, Function):
            return self.call_function(callee, positional, keywords, complete=complete)
        if isinstance(callee, Class):
            return Instance(callee.name) if self.is_module(callee.name) else UNKNOWN
        of_self = isinstance(node.func, (ast.Attribute, ast.Subscript)) or isinstance(callee, Instance)
        return Tensor(sure=False) if varies and of_self else UNKNOWN

    def _imported(
        self,
        name: str,
        node: ast.Call,
        positional: list[Value],
        keywords: dict[str, Value],
        complete: bool,
        frame: CallFrame,
    ) -> Value:
        if not name.startswith(("torch.", "torchvision.")):
            return self._foreign(name, positional, keywords)
        if name == "torch.nn.Sequential":
            return self._sequential(positional, keywords)
        if name in _SEQUENCES:
            return positional[0] if len(positional) == 1 else UNKNOWN
        if name in _FIXED:
            return Tensor(varies=False)
        known = self.has_operator(name)
        if is_class(name) and not name.startswith("torch.nn.functional."):
            if not known:
                return UNKNOWN
            arguments = self.arguments(name, positional, keywords, complete=complete, method=False)
            return TorchLayer(name, arguments)
        arguments = self.arguments(name, positional, keywords, complete=complete, method=False)
        varies = any(item.varies for value in values_of(arguments) for item in tensors(value))
        if not known:
            return Tensor(sure=False, varies=varies) if name.startswith("torch.") else UNKNOWN
        return self.apply(name, arguments, node, frame.block, around=facts_of(frame.node, frame.block))

    def _foreign(self, name: str, positional: list[Value], keywords: dict[str, Value]) -> Value:
        first = positional[0] if positional else UNKNOWN
        if name in ("einops.rearrange", "einops.reduce", "einops.repeat") and isinstance(first, Tensor):
            self.merged.update(first.pending)
            return Tensor(None, first.dtype, True, first.varies, "rearrange")
        if name in _SEQUENCES:
            return first
        if name == "builtins.range":
            return UNKNOWN
        if name == "builtins.len" and isinstance(first, Items):
            return Constant(len(first.items))
        if name == "builtins.enumerate" and isinstance(first, (Items, Each, Chain)):
            return Each(tuple(Items((UNKNOWN, item)) for item in first.items))
        if name == "builtins.zip" and all(isinstance(item, Each) and len(item.items) == 1 for item in positional):
            return Each((Items(tuple(item.items[0] for item in positional if isinstance(item, Each))),))
        if name == "builtins.isinstance" and isinstance(first, Tensor) and first.sure and len(positional) == 2:
            kind = positional[1]
            return Constant(True) if isinstance(kind, ImportedName) and kind.name in TENSOR_TYPES else UNKNOWN
        return UNKNOWN

    def _sequential(self, positional: list[Value], keywords: dict[str, Value]) -> Value:
        if keywords:
            return UNKNOWN
        if len(positional) == 1 and isinstance(positional[0], Items):
            return Chain(positional[0].items)
        return Chain(tuple(positional))

    def _method_call(self, node: ast.Call, name: str, base: Tensor, frame: CallFrame) -> Value:
        positional, keywords, complete = self._evaluated_arguments(node, frame)
        operator = self.method_operator(name)
        if name in ("cpu", "cuda", "requires_grad_", "contiguous") and operator is None:
            return base
        if operator is None:
            return UNKNOWN
        if not base.sure and name in ARRAY_METHODS:
            value = self._quietly(operator, positional, keywords, complete, base, node, frame)
            return Tensor(value.rank, value.dtype, False, value.varies) if isinstance(value, Tensor) else UNKNOWN
        arguments = self.arguments(operator, positional, keywords, complete=complete, method=True)
        return self.apply(operator, arguments, node, frame.block, base, facts_of(frame.node, frame.block))

    def _quietly(
        self,
        operator: str,
        positional: list[Value],
        keywords: dict[str, Value],
        complete: bool,
        base: Tensor,
        node: ast.Call,
        frame: CallFrame,
    ) -> Value:
        self.quiet += 1
        try:
            arguments = self.arguments(operator, positional, keywords, complete=complete, method=True)
            return self.apply(operator, arguments, node, frame.block, base)
        finally:
            self.quiet -= 1

    def _super_call(self, node: ast.Call, name: str, frame: CallFrame) -> Value:
        positional, keywords, complete = self._evaluated_arguments(node, frame)
        owner = next((item for item in frame.names.values() if isinstance(item, Instance) and item.itself), None)
        if owner is None:
            return UNKNOWN
        if name == "__init__":
            self.run_init(owner, frame.owner)
            return UNKNOWN
        method = self.method(owner.name, name, frame.owner)
        if method is None:
            return UNKNOWN
        return self.call_function(Function(method[0], method[1], {}, owner), positional, keywords, complete=complete)

    def call_function(
        self, function: Function, positional: list[Value], keywords: dict[str, Value], *, complete: bool
    ) -> Value:
        """Follow a function of the file with these arguments."""
        if self._calls >= DEPTH:
            return UNKNOWN
        owner = self._owner_of(function)
        names = self._parameters(function, positional, keywords, complete)
        local = set(names) | facts_of(function.node, function.block).assigned
        frame = CallFrame(function.block, names, function.closure, function.node, owner, [], local)
        self._calls += 1
        try:
            return self.run_body(function, frame)
        finally:
            self._calls -= 1

    def _owner_of(self, function: Function) -> str:
        if isinstance(function.receiver, Instance):
            for name in self.lines_of(function.receiver.name):
                if function.node in self.program.classes[name][0].body:
                    return name
        return ""

    def _parameters(
        self, function: Function, positional: list[Value], keywords: dict[str, Value], complete: bool
    ) -> dict[str, Value]:
        declared = parameters_of(function.node.args)
        values = [function.receiver, *positional] if function.receiver is not None else list(positional)
        names: dict[str, Value] = {}
        for index, name in enumerate([*declared.positional, *declared.keyword_only]):
            by_position = index < min(len(values), len(declared.positional))
            if by_position and (complete or index == 0 or function.receiver is None):
                names[name] = values[index]
            elif name in keywords:
                names[name] = keywords[name]
            elif complete and isinstance(default := declared.defaults.get(name), ast.Constant):
                names[name] = Constant(default.value)
            else:
                names[name] = UNKNOWN
        return names | dict.fromkeys(declared.rest, UNKNOWN)

    def is_loaded(self, name: str, frame: CallFrame) -> bool:
        """Whether a function reads a variable at all."""
        return name in facts_of(frame.node, frame.block).loaded


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
