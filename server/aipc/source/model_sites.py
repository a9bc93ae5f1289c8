"""Where models are in a file, from its text alone: what it declares itself, and what the configuration names."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from aipc.core.config import Config

from .model_definitions import ModelDefinition, model_definitions
from .module_files import assigned_names, top_level
from .parsing import parse_module


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
    """Names of ``forward``'s arguments that have no default, where the text of ``forward`` is known."""
    precision: str = ""
    calibration: str = ""
    """What the configuration says of them."""
    needs: tuple[str, ...] = ()
    """Arguments that its constructor needs: it cannot be checked by its name."""
    part: str = ""
    """The block on whose line this stands, of which the model is the whole."""


def find_models(text: str, path: Path, config: Config) -> tuple[ModelSite, ...]:
    """Every model of a file, in order; nothing for text that is not (yet) Python.

    A block whose constructor needs arguments has the site of the model that it is built into, with ``part``; one that
    is built into none has ``needs``.
    """
    tree = parse_module(text)
    if tree is None:
        return ()
    configured = _configured_sites(tree, path, config)
    by_name = {config.models[site.reference].entry.rpartition(":")[2]: site for site in configured}
    definitions = [item for item in model_definitions(text, path, config.root) if item.name not in by_name]
    by_name |= {item.name: _site(path, item) for item in definitions if not item.required}
    sites = [*configured, *(by_name.get(item.name) or _block_site(path, item, by_name) for item in definitions)]
    return tuple(sorted(sites, key=lambda site: site.line))


def checkable_models(text: str, path: Path, config: Config) -> tuple[ModelSite, ...]:
    """The models of a file that can be checked by their name, each once."""
    return tuple(site for site in find_models(text, path, config) if not site.part and not site.needs)


def _configured_sites(tree: ast.Module, path: Path, config: Config) -> list[ModelSite]:
    """The models that the configuration names in a file."""
    lines: dict[str, int] = {}
    for node in top_level(tree.body):
        names = (node.name,) if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) else ()
        for name in names or assigned_names(node):
            lines.setdefault(name, node.lineno)
    sites = []
    for model in config.models.values():
        file, _, attribute = model.entry.rpartition(":")
        if file and (config.root / file).resolve() == path.resolve():
            line = lines.get(attribute.partition(".")[0], 1)
            precision, calibration = model.precision or "", model.calibration or ""
            sites.append(ModelSite(model.name, model.name, line, True, True, (), precision, calibration))
    return sites


def _site(path: Path, item: ModelDefinition) -> ModelSite:
    reference = f"{path}:{item.name}"
    return ModelSite(reference, item.name, item.line, False, item.has_inputs, item.arguments, needs=item.required)


def _block_site(path: Path, item: ModelDefinition, models: Mapping[str, ModelSite]) -> ModelSite:
    whole = models.get(item.container)
    return replace(whole, line=item.line, part=item.name) if whole else _site(path, item)
