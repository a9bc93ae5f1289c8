"""The models of a Python file from its text alone: classes, factories and instances, and what they contain."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .model_classes import ClassFacts, class_facts
from .module_files import Definition, Library, ModuleFile, Names, Resolved, assigned_names, dotted, module_of
from .parameters import parameters_of
from .parsing import parse_module

_SAME_MODULE = {
    *("eval", "train", "to", "cpu", "cuda", "float", "half", "double", "bfloat16"),
    *("requires_grad_", "share_memory", "apply", "fuse", "compile"),
}
"""Methods of a module that return the module."""
_LOADERS = {"from_pretrained", "from_config", "from_name", "load_from_checkpoint"}
"""Class methods by which libraries build their models."""
_FACTORIES = {"timm.create_model", "torch.hub.load", "torchvision.models.get_model"}
"""Functions of libraries that return a model, for where the library is not installed or not annotated."""
_MOST_CALLS = 4
"""Functions that call functions are followed this deep."""


@dataclass(frozen=True, slots=True)
class ModelDefinition:
    """A name of a file that stands for a model.

    Args:
        line: 1-based.
        required: what has to be given to construct it; a model that needs something cannot be checked by its name.
        container: for one that needs something, a model of the file that is built from it and needs nothing.
        arguments: arguments of ``forward`` that have no default, where its text is known.
        has_inputs: whether it gives its own ``example_inputs()``.
    """

    name: str
    line: int
    required: tuple[str, ...] = ()
    container: str = ""
    arguments: tuple[str, ...] = ()
    has_inputs: bool = False


def model_definitions(text: str, path: Path, root: Path | None = None) -> tuple[ModelDefinition, ...]:
    """Every model that a file defines at its top level, in order; nothing for text that is not (yet) Python.

    Args:
        path: where the text lies: files beside it, and those below ``root``, are read for the classes that it imports.
    """
    tree = parse_module(text)
    if tree is None:
        return ()
    package_root, package = package_of(path)
    roots = dict.fromkeys((package_root, path.parent, root or package_root))
    module = module_of(tree, path, package)
    return _Reader(module, Names(tuple(roots)), tree).definitions()


def package_of(path: Path) -> tuple[Path, tuple[str, ...]]:
    """The directory that a file's package is imported from, and the package's dotted name."""
    root = path.parent
    package: list[str] = []
    while (root / "__init__.py").is_file() and root.parent != root:
        package.insert(0, root.name)
        root = root.parent
    return root, tuple(package)


class _Reader:
    """Reads one file; what is asked of a class twice is answered from ``_classes``."""

    def __init__(self, module: ModuleFile, names: Names, tree: ast.Module) -> None:
        self._module, self._names, self._tree = module, names, tree
        self._classes: dict[int, ClassFacts] = {}

    def definitions(self) -> tuple[ModelDefinition, ...]:
        models = [item for name, node in self._module.definitions.items() for item in self._model(name, node)]
        free = {item.name for item in models if not item.required}
        inside = {name: _loads(node) for name, node in self._module.definitions.items()}
        placed = [
            ModelDefinition(item.name, item.line, item.required, _container(item.name, free, inside), item.arguments)
            if item.required
            else item
            for item in models
        ]
        return tuple(sorted(placed, key=lambda item: item.line))

    def _model(self, name: str, node: ast.stmt) -> Iterator[ModelDefinition]:
        if isinstance(node, ast.ClassDef):
            facts = self._facts(Definition(node, self._module))
            if facts.is_model and facts.can_run:
                yield ModelDefinition(name, node.lineno, facts.required, "", facts.arguments, facts.has_inputs)
            return
        model_class = None
        if isinstance(node, ast.FunctionDef) and not name.startswith("_") and not _required(node):
            model_class = self._returned(Definition(node, self._module), _MOST_CALLS)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            model_class = self._value(node.value, self._module, {}, _MOST_CALLS)
        if model_class:
            yield ModelDefinition(name, node.lineno, (), "", model_class.arguments, model_class.has_inputs)

    def _facts(self, definition: Definition) -> ClassFacts:
        key = id(definition.node)
        if key not in self._classes:
            self._classes[key] = class_facts(definition, self._names)
        return self._classes[key]

    def _returned(self, function: Definition, calls: int) -> ClassFacts | None:
        """What a function returns, if that is a model: by its return statements, else by its annotation."""
        node = function.node
        assert isinstance(node, ast.FunctionDef)
        if calls == 0:
            return None
        local: dict[str, ast.expr] = {}
        returned = []
        for item in _own_statements(node.body):
            if isinstance(item, (ast.Assign, ast.AnnAssign)) and item.value is not None:
                for name in assigned_names(item):
                    local.setdefault(name, item.value)
            elif isinstance(item, ast.Return) and item.value is not None:
                returned.append(item.value)
        for value in returned:
            if facts := self._value(value, function.module, local, calls - 1):
                return facts
        return self._annotated(node.returns, function.module)

    def _annotated(self, annotation: ast.expr | None, module: ModuleFile) -> ClassFacts | None:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            parsed = parse_module(annotation.value)
            first = parsed.body[0] if parsed and parsed.body else None
            annotation = first.value if isinstance(first, ast.Expr) else None
        return self._built(self._names.resolve(dotted(annotation), module)) if annotation else None

    def _value(
        self, node: ast.expr, module: ModuleFile, local: Mapping[str, ast.expr], calls: int
    ) -> ClassFacts | None:
        """What is known of an expression's value, if it is a model."""
        if calls < 0:
            return None
        if isinstance(node, ast.Name) and node.id in local:
            rest = {name: value for name, value in local.items() if name != node.id}
            return self._value(local[node.id], module, rest, calls)
        if isinstance(node, ast.Name):
            resolved = self._names.resolve(node.id, module)
            value = resolved.node.value if isinstance(resolved, Definition) and _is_assignment(resolved.node) else None  # type: ignore[attr-defined]
            return (
                self._value(value, resolved.module, {}, calls - 1)
                if value and isinstance(resolved, Definition)
                else None
            )
        if isinstance(node, ast.IfExp):
            return self._value(node.body, module, local, calls) or self._value(node.orelse, module, local, calls)
        if not isinstance(node, ast.Call):
            return None
        function = node.func
        method = function.attr if isinstance(function, ast.Attribute) else ""
        owner = function.value if isinstance(function, ast.Attribute) else function
        if method in _SAME_MODULE and (facts := self._value(owner, module, local, calls)):
            return facts
        if method in _LOADERS:
            return self._loaded(self._names.resolve(dotted(owner), module))
        resolved = self._names.resolve(dotted(function), module)
        name = resolved.name if isinstance(resolved, Library) else ""
        if name in _FACTORIES or (name.startswith("torchvision.models.") and name.rpartition(".")[2].islower()):
            return ClassFacts(True, True)
        if name == "torch.compile" and node.args:
            return self._value(node.args[0], module, local, calls)
        if isinstance(resolved, Definition) and isinstance(resolved.node, ast.FunctionDef):
            full = ".".join((*resolved.module.package[:1], resolved.node.name))
            return ClassFacts(True, True) if full in _FACTORIES else self._returned(resolved, calls)
        return self._built(resolved)

    def _built(self, resolved: Resolved) -> ClassFacts | None:
        """What an instance of a class is, if it is a model that can run, or PyTorch's ``Module`` in an annotation."""
        if isinstance(resolved, Library):
            return (
                ClassFacts(True, True) if resolved.name.startswith("torch.nn.") and _is_class(resolved.name) else None
            )
        if isinstance(resolved, Definition) and isinstance(resolved.node, ast.ClassDef):
            facts = self._facts(resolved)
            if facts.is_model:
                return facts
            if resolved.node.name == "Module" and resolved.module.package[:1] == ("torch",):
                return ClassFacts(True, True)
        return None

    def _loaded(self, resolved: Resolved) -> ClassFacts | None:
        """What ``Class.from_pretrained(…)`` gives: an instance of the class, or for transformers' AutoModel a model."""
        facts = self._built(resolved)
        if facts is None and (name := _name_of(resolved)).rpartition(".")[2].startswith("AutoModel"):
            return ClassFacts(True, True) if name else None
        return facts


def _name_of(resolved: Resolved) -> str:
    if isinstance(resolved, Library):
        return resolved.name
    return str(getattr(resolved.node, "name", "")) if resolved else ""


def _is_class(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() and last != "Parameter"


def _is_assignment(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Assign, ast.AnnAssign))


def _required(node: ast.FunctionDef) -> tuple[str, ...]:
    declared = parameters_of(node.args)
    return (*declared.required, *(name for name in declared.keyword_only if name not in declared.defaults))


def _own_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a function, but not those of functions and classes in it."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.stmt):
                    yield from _own_statements([part])
                elif isinstance(part, ast.ExceptHandler):
                    yield from _own_statements(part.body)


def _loads(node: ast.AST) -> frozenset[str]:
    return frozenset(item.id for item in ast.walk(node) if isinstance(item, ast.Name))


def _container(name: str, free: set[str], inside: Mapping[str, frozenset[str]]) -> str:
    """A model that needs nothing and that ``name`` is built into, the nearest one."""
    visited, edge = {name}, [name]
    while edge:
        edge = [user for user, used in inside.items() if user not in visited and used.intersection(edge)]
        if users := [user for user in edge if user in free]:
            return users[0]
        visited |= set(edge)
    return ""
