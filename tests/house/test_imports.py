"""Front doors stay light whatever they call, and no import inside a function hides a circle."""

from __future__ import annotations

import graphlib
import re
from configparser import ConfigParser

import pytest

from .modules import PACKAGE, imports, loaded_with, paths

HEAVY = {"numpy", "onnx", "onnx_ir", "onnxruntime", "onnxruntime_qnn", "onnxscript", "torch", "torchvision"}
FRONT_DOORS = ("__main__", "api", "cli", "commands", "doctor", "engine", "lsp", "mcp")


def contracts() -> ConfigParser:
    parser = ConfigParser()
    parser.read(PACKAGE.parents[1] / ".importlinter")
    return parser


@pytest.mark.parametrize("front", FRONT_DOORS)
def test_a_front_door_loads_no_heavy_library_by_any_way(front: str) -> None:
    modules = [name for name in paths() if name.split(".")[1:2] == [front]]
    assert modules
    heavy = {
        f"{module} loads {loaded}, which imports {item.target}"
        for module in modules
        for loaded in loaded_with(module)
        for item in imports(loaded)
        if not item.lazy and not item.typing and item.target.partition(".")[0] in HEAVY
    }
    assert not heavy


def test_the_lists_of_jobs_load_no_heavy_library() -> None:
    lists = [name for name in paths() if name.endswith(".worker_jobs")]
    assert len(lists) >= 10
    for name in lists:
        for loaded in loaded_with(name):
            assert not {item.target for item in imports(loaded) if not item.lazy and not item.typing} & HEAVY, loaded


def test_no_import_hides_a_circle() -> None:
    """Imports inside functions count: with them at the top of their files the modules still load in one order."""
    graph = {
        name: {item.target for item in imports(name) if not item.typing and item.target in paths()} - {name}
        for name in paths()
    }
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert len(order) == len(paths())


def test_contracts_name_packages_not_their_files() -> None:
    """A list of single modules would have to be kept by hand."""
    parser = contracts()
    for section in parser.sections():
        for key in ("source_modules", "layers"):
            for name in re.findall(r"aipc(?:\.\w+)+", parser.get(section, key, fallback="")):
                assert len(name.split(".")) == 2, f"{section}: {name}"


def test_one_module_imports_the_client_of_language_models() -> None:
    clients = {"openai", "httpx"}
    users = {name for name in paths() for item in imports(name) if item.target.partition(".")[0] in clients}
    assert users == {"aipc.agent.llm_job"}


def test_every_room_has_its_layer() -> None:
    layers = set(re.findall(r"aipc\.(\w+)", contracts().get("importlinter:contract:layers", "layers")))
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= layers, sorted(rooms - layers)
