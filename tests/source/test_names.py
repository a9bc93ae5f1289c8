"""Names, classes and parameters of a file are read in one way, whoever reads them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import aipc
from aipc.source.built_modules import find_module
from aipc.source.classes import ancestors
from aipc.source.imports import bindings_of, imported_modules, imported_names, qualified_name
from aipc.source.parameters import parameters_of
from aipc.source.parsing import parse_module, syntax_error
from aipc.source.syntax import parse
from aipc.source.torch_names import canonical

IMPORTS = """
import torch.nn.functional as F, os.path
from torch import nn as layers
from torch.nn.modules.pooling import MaxPool3d
from . import mine
from .sibling import theirs
from math import *
"""


def test_an_import_binds_what_python_binds() -> None:
    assert imported_names(ast.parse(IMPORTS)) == {
        "F": "torch.nn.functional",
        "os": "os",
        "layers": "torch.nn",
        "MaxPool3d": "torch.nn.modules.pooling.MaxPool3d",
    }
    bound = [pair for node in ast.parse(IMPORTS).body for pair in bindings_of(node)]
    assert {("mine", "..mine"), ("theirs", ".sibling.theirs"), ("*", "math")} <= set(bound)
    assert set(imported_modules(ast.parse(IMPORTS))) == {
        "torch.nn.functional",
        "os.path",
        "torch",
        "torch.nn.modules.pooling",
        "math",
    }


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("F.celu", "torch.nn.functional.celu"),
        ("layers.Conv2d", "torch.nn.Conv2d"),
        ("MaxPool3d", "torch.nn.MaxPool3d"),
        ("mine.celu", ""),
        ("x.celu", ""),
        ("F.celu(x).shape", ""),
    ],
)
def test_a_dotted_name_is_followed_to_its_import(text: str, full: str) -> None:
    node = ast.parse(text, mode="eval").body
    assert canonical(qualified_name(node, imported_names(ast.parse(IMPORTS)))) == full


def test_ancestors_end_where_classes_derive_from_each_other() -> None:
    tree = ast.parse("class A(B, C): ...\nclass B(A): ...\nclass C: ...\n")
    assert ancestors("A", {node.name: node for node in tree.body}) == ["A", "B", "C"]


def test_parameters_have_their_own_defaults() -> None:
    declared = parameters_of(ast.parse("def f(self, a, /, b, c=1, *rest, d, e=2, **more): ...").body[0].args)
    assert declared.positional == ("self", "a", "b", "c")
    assert declared.required == ("self", "a", "b")
    assert declared.keyword_only == ("d", "e")
    assert {name: default.value for name, default in declared.defaults.items()} == {"c": 1, "e": 2}
    assert declared.rest == ("rest", "more")
    assert parameters_of(ast.parse("def f(): ...").body[0].args).required == ()


@pytest.mark.parametrize("text", ["def", "x = \0", "(" * 300 + ")" * 300, "\ud800"])
def test_what_is_not_python_is_no_error_for_any_reader(text: str) -> None:
    assert parse_module(text) is None
    assert parse(text) is None
    assert syntax_error(text, "model.py").startswith("model.py:")


def test_a_layer_is_known_by_its_long_name_too() -> None:
    text = (
        "from torch.nn.modules import activation\nclass A:\n    def __init__(self):\n"
        "        self.act = activation.CELU()\n    def forward(self, x):\n        return self.act(x)\n"
    )
    syntax = parse(text)
    assert syntax is not None
    call = next(node for node in ast.walk(syntax.tree) if ast.unparse(node) == "self.act(x)")
    built = find_module(syntax, call.func)
    assert built is not None and built.kind == "CELU"


def test_nobody_else_reads_imports_from_a_tree() -> None:
    """A second reader would disagree with the first sooner or later."""
    package = Path(aipc.__path__[0])
    reads = re.compile(r"\.asname\b")
    readers = {
        str(path.relative_to(package)) for path in package.rglob("*.py") if reads.search(path.read_text("utf-8"))
    }
    assert readers == {"source/imports.py"}
