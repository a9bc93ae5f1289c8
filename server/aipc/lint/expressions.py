"""Evaluates expressions to what is known of their values."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from aipc.source.torch_names import canonical

from .frames import CallFrame
from .invocations import DEPTH, Invocations
from .resolve import builtin
from .values import (
    UNKNOWN,
    Arguments,
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
    join,
    tensors,
)

if TYPE_CHECKING:
    from aipc.source.blocks import Block

_DUNDERS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Mod: "__mod__",
    ast.FloorDiv: "floor_divide",
    ast.Pow: "pow",
    ast.MatMult: "__matmul__",
    ast.LShift: "__lshift__",
    ast.RShift: "__rshift__",
    ast.BitAnd: "bitwise_and",
    ast.BitOr: "bitwise_or",
    ast.BitXor: "bitwise_xor",
}


class Expressions(Invocations):
    """One method for each kind of expression."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value, frame: CallFrame, source: ast.expr | None = None) -> None:
        """Give a target its value, part by part (``interpret``)."""

    def module_frame(self, block: Block) -> CallFrame:
        return CallFrame(block, {})

    def evaluate(self, node: ast.expr, frame: CallFrame) -> Value:
        self.step()
        handler = getattr(self, f"_{type(node).__name__.lower()}_value", None)
        if handler is not None:
            value: Value = handler(node, frame)
            return value
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child, frame)
        return UNKNOWN

    # Names and plain values.

    def _constant_value(self, node: ast.Constant, frame: CallFrame) -> Value:
        return Constant(node.value)

    def _name_value(self, node: ast.Name, frame: CallFrame) -> Value:
        if node.id in frame.names:
            return frame.names[node.id]
        if node.id in frame.closure:
            return frame.closure[node.id]
        return UNKNOWN if node.id in frame.local else self.global_value(node.id)

    def global_value(self, name: str) -> Value:
        binding = self.program.binding(name)
        known = name in self.program.names
        self.depends["name", name] = (binding.imported or binding.block) if binding else known
        if binding is None:
            builtin_value = None if known else builtin(name)
            return ImportedName(builtin_value) if builtin_value else UNKNOWN
        if binding.imported:
            return ImportedName(canonical(binding.imported))
        if isinstance(binding.node, ast.FunctionDef):
            plain = self.plain_decorators(binding.node, binding.block)
            return Function(binding.node, binding.block) if plain else UNKNOWN
        if isinstance(binding.node, ast.ClassDef):
            return Class(name) if name in self.program.classes else UNKNOWN
        if isinstance(binding.node, ast.expr) and self._calls < DEPTH:
            self._calls += 1
            self.quiet += 1
            try:
                return self.evaluate(binding.node, self.module_frame(binding.block))
            finally:
                self._calls -= 1
                self.quiet -= 1
        return UNKNOWN

    def _tuple_value(self, node: ast.Tuple, frame: CallFrame) -> Value:
        return self._items(node.elts, frame)

    def _list_value(self, node: ast.List, frame: CallFrame) -> Value:
        return self._items(node.elts, frame)

    def _items(self, nodes: list[ast.expr], frame: CallFrame) -> Value:
        values: list[Value] = []
        sure = True
        for node in nodes:
            value = self.evaluate(node.value if isinstance(node, ast.Starred) else node, frame)
            if not isinstance(node, ast.Starred):
                values.append(value)
            elif isinstance(value, (Items, Chain)):
                values.extend(value.items)
            elif isinstance(value, Each):
                values.append(value)
            else:
                sure = False
        if sure:
            return Items(tuple(values))
        items = tuple(item for value in values for item in tensors(value))
        return Each(items) if items else UNKNOWN

    def _starred_value(self, node: ast.Starred, frame: CallFrame) -> Value:
        self.evaluate(node.value, frame)
        return UNKNOWN

    def _lambda_value(self, node: ast.Lambda, frame: CallFrame) -> Value:
        return Function(node, frame.block, {**frame.closure, **frame.names})

    def _namedexpr_value(self, node: ast.NamedExpr, frame: CallFrame) -> Value:
        value = self.evaluate(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    def _listcomp_value(self, node: ast.ListComp, frame: CallFrame) -> Value:
        return self._comprehension(node.elt, node.generators, frame)

    def _generatorexp_value(self, node: ast.GeneratorExp, frame: CallFrame) -> Value:
        return self._comprehension(node.elt, node.generators, frame)

    def _setcomp_value(self, node: ast.SetComp, frame: CallFrame) -> Value:
        self._comprehension(node.elt, node.generators, frame)
        return UNKNOWN

    def _dictcomp_value(self, node: ast.DictComp, frame: CallFrame) -> Value:
        self._comprehension(node.value, node.generators, frame)
        return UNKNOWN

    def _comprehension(self, element: ast.expr, generators: list[ast.comprehension], frame: CallFrame) -> Value:
        before, quiet = dict(frame.names), self.quiet
        for generator in generators:
            value = self.elements(self.evaluate(generator.iter, frame), generator.iter, frame)
            self.assign(generator.target, value, frame)
            self.quiet += bool(generator.ifs)
        item = self.evaluate(element, frame)
        frame.names, self.quiet = before, quiet
        return Each((item,)) if item != UNKNOWN else UNKNOWN

    def elements(self, value: Value, node: ast.expr, frame: CallFrame) -> Value:
        """What a loop over ``value`` gives its variable."""
        if isinstance(value, Each):
            return value if len(value.items) != 1 else value.items[0]
        if isinstance(value, (Items, Chain)) and value.items:
            if any(isinstance(item, (TorchLayer, Instance, Chain)) for item in value.items):
                return Each(value.items)
            joined = value.items[0]
            for item in value.items[1:]:
                joined = join(joined, item)
            return joined
        return Tensor(None, value.dtype, value.sure, value.varies) if isinstance(value, Tensor) else UNKNOWN

    # Attributes and items.

    def _attribute_value(self, node: ast.Attribute, frame: CallFrame) -> Value:
        base = self.evaluate(node.value, frame)
        if isinstance(base, ImportedName):
            return ImportedName(canonical(f"{base.name}.{node.attr}"))
        if isinstance(base, Instance) and base.itself:
            return self.member(base, node.attr)
        if not isinstance(base, Tensor):
            return UNKNOWN
        if node.attr in ("T", "mT", "H", "mH", "data", "real"):
            return Tensor(base.rank, base.dtype, base.sure, base.varies)
        if node.attr == "shape" and base.rank is not None:
            return Items((UNKNOWN,) * base.rank)
        return Constant(base.rank) if node.attr == "ndim" and base.rank is not None else UNKNOWN

    def _subscript_value(self, node: ast.Subscript, frame: CallFrame) -> Value:
        base = self.evaluate(node.value, frame)
        index = self.evaluate(node.slice, frame)
        if isinstance(base, Tensor):
            return self._indexed(node, base, index, frame)
        if isinstance(base, (Items, Chain, Each)):
            number = index.value if isinstance(index, Constant) else None
            if isinstance(number, int) and not isinstance(base, Each) and -len(base.items) <= number < len(base.items):
                return base.items[number]
            if isinstance(base, Each) and len(base.items) == 1:
                return base.items[0]
            if isinstance(node.slice, ast.Slice) and isinstance(base, Items):
                return Each(items) if (items := tensors(base)) else UNKNOWN
        return UNKNOWN

    def _indexed(self, node: ast.Subscript, base: Tensor, index: Value, frame: CallFrame) -> Value:
        if isinstance(index, Tensor) and index.dtype == "bool" and index.sure and index.varies and base.sure:
            operator = "torch.Tensor.__getitem__"
            self.apply(operator, Arguments(), node, frame.block, Tensor(), extra={"index": "mask"})
            return Tensor()
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        rank = base.rank
        for part in parts:
            if rank is None:
                break
            if isinstance(part, ast.Constant) and part.value is None:
                rank += 1
            elif isinstance(part, ast.Constant) and isinstance(part.value, int):
                rank -= 1
            elif not isinstance(part, ast.Slice) and not (isinstance(part, ast.Constant) and part.value is Ellipsis):
                rank = None
        return Tensor(rank, base.dtype, base.sure, base.varies)

    # Operators of the language.

    def _binop_value(self, node: ast.BinOp, frame: CallFrame) -> Value:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        if isinstance(left, Constant) and isinstance(right, Constant):
            return _folded(node.op, left.value, right.value)
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(node.op, ast.Add):
            return Items((*left.items, *right.items))
        if isinstance(left, Items) and isinstance(right, Constant) and isinstance(node.op, ast.Mult):
            times = right.value
            return Items(left.items * times) if isinstance(times, int) and 0 <= times < 16 else UNKNOWN
        tensors = [item for item in (left, right) if isinstance(item, Tensor)]
        if not tensors:
            return UNKNOWN
        operator = self.method_operator(_DUNDERS.get(type(node.op), "")) if isinstance(left, Tensor) else None
        sure = any(item.sure for item in tensors)
        if operator and sure and isinstance(left, Tensor):
            arguments = Arguments({"other": right}, {})
            value = self.apply(operator, arguments, node, frame.block, left)
            return value if isinstance(value, Tensor) else UNKNOWN
        rank = tensors[0].rank if isinstance(left, Constant) or isinstance(right, Constant) else None
        return Tensor(rank, tensors[0].dtype if rank else None, sure, any(item.varies for item in tensors), "add")

    def _unaryop_value(self, node: ast.UnaryOp, frame: CallFrame) -> Value:
        value = self.evaluate(node.operand, frame)
        if isinstance(value, Constant) and isinstance(node.op, ast.USub) and isinstance(value.value, (int, float)):
            return Constant(-value.value)
        if isinstance(value, Constant) and isinstance(node.op, ast.Not):
            return Constant(not value.value)
        if isinstance(value, Tensor) and not isinstance(node.op, ast.Not):
            return Tensor(value.rank, value.dtype, value.sure, value.varies, "neg")
        return UNKNOWN

    def _compare_value(self, node: ast.Compare, frame: CallFrame) -> Value:
        values = [self.evaluate(item, frame) for item in (node.left, *node.comparators)]
        if len(node.ops) != 1:
            return UNKNOWN
        left, right = values
        if isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            return _identity(left, right, isinstance(node.ops[0], ast.Is))
        if isinstance(left, Constant) and isinstance(right, Constant):
            return _compared(node.ops[0], left.value, right.value)
        tensors = [item for item in values if isinstance(item, Tensor)]
        if not tensors or isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return UNKNOWN
        return Tensor(tensors[0].rank, "bool", any(i.sure for i in tensors), any(i.varies for i in tensors), "eq")

    def _boolop_value(self, node: ast.BoolOp, frame: CallFrame) -> Value:
        decided = self._decided(node, frame)
        return UNKNOWN if decided is None else Constant(decided)

    def _decided(self, node: ast.BoolOp, frame: CallFrame) -> bool | None:
        stops = isinstance(node.op, ast.Or)
        sure, quiet = True, self.quiet
        for value in node.values:
            decision = self.condition(value, frame)
            if decision is stops:
                self.quiet = quiet
                return stops
            sure = sure and decision is not None
            self.quiet += decision is None
        self.quiet = quiet
        return not stops if sure else None

    def _ifexp_value(self, node: ast.IfExp, frame: CallFrame) -> Value:
        decision = self.condition(node.test, frame)
        if decision is not None:
            return self.evaluate(node.body if decision else node.orelse, frame)
        self.quiet += 1
        one, other = self.evaluate(node.body, frame), self.evaluate(node.orelse, frame)
        self.quiet -= 1
        return join(one, other)

    def condition(self, node: ast.expr, frame: CallFrame) -> bool | None:
        """Whether a test holds; None where that is not known. A test on a tensor's values cannot be exported."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            decision = self.condition(node.operand, frame)
            return None if decision is None else not decision
        if isinstance(node, ast.BoolOp):
            return self._decided(node, frame)
        if isinstance(node, ast.Name) and node.id == "TYPE_CHECKING":
            return False
        if isinstance(node, ast.Attribute) and node.attr == "training":
            base = self.evaluate(node.value, frame)
            return False if isinstance(base, Instance) else None  # what is exported is in evaluation mode
        value = self.evaluate(node, frame)
        if isinstance(value, Constant):
            return bool(value.value)
        if isinstance(value, Tensor) and value.sure and value.varies:
            self.apply("torch.is_nonzero", Arguments(), node, frame.block, Tensor())
        return True if isinstance(value, TorchLayer) else None


def _folded(operator: ast.operator, left: Any, right: Any) -> Value:
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return Constant(left + right) if isinstance(left, str) and isinstance(right, str) else UNKNOWN
    try:
        if isinstance(operator, ast.Add):
            return Constant(left + right)
        if isinstance(operator, ast.Sub):
            return Constant(left - right)
        if isinstance(operator, ast.Mult):
            return Constant(left * right)
        if isinstance(operator, ast.FloorDiv):
            return Constant(left // right)
        if isinstance(operator, ast.Div):
            return Constant(left / right)
    except (ArithmeticError, ValueError):
        pass
    return UNKNOWN


def _identity(left: Value, right: Value, same: bool) -> Value:
    """``x is None`` and its like, where what x is shows already that it is not None."""
    if right != Constant(None) or left == UNKNOWN or isinstance(left, ImportedName):
        return UNKNOWN
    return Constant((left == Constant(None)) is same)


def _compared(operator: ast.cmpop, left: Any, right: Any) -> Value:
    try:
        if isinstance(operator, ast.Eq):
            return Constant(left == right)
        if isinstance(operator, ast.NotEq):
            return Constant(left != right)
        if isinstance(operator, ast.Lt):
            return Constant(left < right)
        if isinstance(operator, ast.LtE):
            return Constant(left <= right)
        if isinstance(operator, ast.Gt):
            return Constant(left > right)
        if isinstance(operator, ast.GtE):
            return Constant(left >= right)
    except TypeError:
        pass
    return UNKNOWN
