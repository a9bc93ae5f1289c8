"""Which classes are models of PyTorch, and what it takes to construct and to call them, from text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from .module_files import Definition, Library, Names, Resolved, assigned_names, dotted
from .parameters import parameters_of
from .torch_names import canonical

_ROOTS = {"Module", "LightningModule", "PreTrainedModel", "ModelMixin"}
"""Base classes of models, none with a ``forward`` of its own, by the last part of the name."""
_ROOT_PACKAGES = {"torch", "lightning", "pytorch_lightning", "transformers", "diffusers"}
_WITHOUT_FORWARD = {"ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "Parameter"}
_MOST_ANCESTORS = 40


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What the text of a class and of its ancestors says.

    Args:
        is_model: whether it derives from PyTorch's ``Module``.
        can_run: whether it, or an ancestor, has a ``forward``.
        required: arguments of the constructor that have to be given.
        arguments: arguments of ``forward`` that have no default.
        has_inputs: whether it gives its own ``example_inputs()``.
    """

    is_model: bool
    can_run: bool = False
    required: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    has_inputs: bool = False


@dataclass(slots=True)
class _Line:
    """The ancestors of a class, the nearest first."""

    classes: list[Definition] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    """Library names that it ends in."""


def class_facts(definition: Definition, names: Names) -> ClassFacts:
    """What is known of a class. Where a base is a library's that is not installed, a ``forward`` tells."""
    line = _Line()
    _collect(definition, names, line)
    forward = _first(line, "forward")
    is_model = any(_is_root(name) for name in line.roots)
    unknown = [name for name in line.roots if not _is_root(name)]
    if not is_model and not (unknown and forward and _imports_torch(definition)):
        return ClassFacts(False)
    own_forward = any(canonical(name).startswith("torch.nn.") and not _is_bare(name) for name in line.roots)
    init, owner = _first(line, "__init__"), _owner(line, "__init__")
    required = _required(init, owner, line, names) if init and owner else ()
    return ClassFacts(
        True,
        forward is not None or own_forward or bool(unknown),
        required,
        parameters_of(forward.args).required[1:] if forward else (),
        _first(line, "example_inputs") is not None,
    )


def _collect(definition: Definition, names: Names, line: _Line) -> None:
    node = definition.node
    if not isinstance(node, ast.ClassDef) or definition in line.classes or len(line.classes) > _MOST_ANCESTORS:
        return
    line.classes.append(definition)
    for base in node.bases:
        written = dotted(base.value if isinstance(base, ast.Subscript) else base)
        if not written:
            continue
        resolved: Resolved = names.resolve(written, definition.module)
        if isinstance(resolved, Library):
            line.roots.append(resolved.name)
        elif isinstance(resolved, Definition) and (root := _library_root(resolved)):
            line.roots.append(root)
        elif isinstance(resolved, Definition):
            _collect(resolved, names, line)


def _library_root(definition: Definition) -> str:
    """``torch.nn.Module`` for its definition in PyTorch's own text; empty for any other class."""
    name = getattr(definition.node, "name", "")
    package = definition.module.package
    return f"{package[0]}.nn.{name}" if name in _ROOTS and package and package[0] in _ROOT_PACKAGES else ""


def _is_root(name: str) -> bool:
    name = canonical(name)
    package, last = name.partition(".")[0], name.rpartition(".")[2]
    if package == "torch":
        return name.startswith("torch.nn.") and last[:1].isupper() and last != "Parameter"
    return package in _ROOT_PACKAGES and last in _ROOTS


def _is_bare(name: str) -> bool:
    return name.rpartition(".")[2] in _ROOTS | _WITHOUT_FORWARD


def _imports_torch(definition: Definition) -> bool:
    return any(name.partition(".")[0] == "torch" for name in definition.module.imports.values())


def _methods(definition: Definition, name: str) -> Iterator[ast.FunctionDef]:
    assert isinstance(definition.node, ast.ClassDef)
    for item in definition.node.body:
        if isinstance(item, ast.FunctionDef) and item.name == name:
            yield item


def _first(line: _Line, name: str) -> ast.FunctionDef | None:
    return next((method for item in line.classes for method in _methods(item, name)), None)


def _owner(line: _Line, name: str) -> Definition | None:
    return next((item for item in line.classes if any(_methods(item, name))), None)


def _required(init: ast.FunctionDef, owner: Definition, line: _Line, names: Names) -> tuple[str, ...]:
    """Arguments without a default that nothing stands for: a configuration class with defaults does."""
    declared = parameters_of(init.args)
    _, *others = (*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs)
    required = [item for item in others if item.arg not in declared.defaults]
    if [item.arg for item in required] == ["config"] and _has_config_class(line):
        return ()
    return tuple(item.arg for item in required if not _has_defaults(item.annotation, owner, names))


def _has_config_class(line: _Line) -> bool:
    return any("config_class" in assigned_names(item) for owner in line.classes for item in owner.node.body)  # type: ignore[attr-defined]


def _has_defaults(annotation: ast.expr | None, owner: Definition, names: Names) -> bool:
    """Whether an annotation names a dataclass of which every field has a default."""
    resolved = names.resolve(dotted(annotation), owner.module) if annotation else None
    node = resolved.node if isinstance(resolved, Definition) else None
    if not isinstance(node, ast.ClassDef) or not any(_is_dataclass(item) for item in node.decorator_list):
        return False
    return not node.bases and all(
        item.value is not None for item in node.body if isinstance(item, ast.AnnAssign) and not _is_class_variable(item)
    )


def _is_dataclass(decorator: ast.expr) -> bool:
    return dotted(decorator.func if isinstance(decorator, ast.Call) else decorator).endswith("dataclass")


def _is_class_variable(item: ast.AnnAssign) -> bool:
    annotation = item.annotation.value if isinstance(item.annotation, ast.Subscript) else item.annotation
    return dotted(annotation).endswith("ClassVar")
