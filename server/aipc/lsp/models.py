"""Where models are in a file, from its text alone: classes that derive from ``nn.Module`` and configured entries."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from aipc.core.config import Config
from aipc.source.classes import module_classes
from aipc.source.parameters import parameters_of
from aipc.source.parsing import parse_module


@dataclass(frozen=True, slots=True)
class ModelSite:
    """A model and the line (1-based) that defines it. ``reference`` is what the engine is asked with."""

    reference: str
    title: str
    line: int
    configured: bool
    has_inputs: bool
    """Whether its example inputs are known without asking: configured, or given by ``example_inputs()``."""
    arguments: tuple[str, ...] = ()
    """Names of ``forward``'s arguments that have no default, for a class that has them in its own body."""
    precision: str = ""
    calibration: str = ""
    """What the configuration says of them."""


def find_models(text: str, path: Path, config: Config) -> tuple[ModelSite, ...]:
    """Every model of a file, in order; nothing for text that is not (yet) Python."""
    tree = parse_module(text)
    if tree is None:
        return ()
    definitions = {
        node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    }
    sites = []
    named: set[str] = set()
    for model in config.models.values():
        file, _, attribute = model.entry.rpartition(":")
        if not file or (config.root / file).resolve() != path.resolve():
            continue
        named.add(attribute)
        definition = definitions.get(attribute.partition(".")[0])
        line = definition.lineno if definition else _assignment_line(tree, attribute)
        sites.append(
            ModelSite(model.name, model.name, line, True, True, (), model.precision or "", model.calibration or "")
        )
    for name, node in module_classes(tree).items():
        if name not in named:
            known = any(isinstance(item, ast.FunctionDef) and item.name == "example_inputs" for item in node.body)
            sites.append(ModelSite(f"{path}:{name}", name, node.lineno, False, known, _forward_arguments(node)))
    return tuple(sorted(sites, key=lambda site: site.line))


def _forward_arguments(node: ast.ClassDef) -> tuple[str, ...]:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "forward":
            return parameters_of(item.args).required[1:]
    return ()


def _assignment_line(tree: ast.Module, name: str) -> int:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.lineno
    return 1
