"""One concept, one name: a class name stands for one class, and names are nouns of the field."""

from __future__ import annotations

import ast
from collections import defaultdict

from .modules import paths, tree

STANDALONE = ("aipc.recipes.runners", "aipc.samples", "aipc.targets.remote", "aipc.pipeline.runner")
"""Programs that a device or a user reads alone, without the rest of the package."""
FACES = ("aipc.api",)
"""The Python interface shows the engine's reports under the names that they have there."""


def test_a_public_class_name_exists_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in paths():
        if module.startswith((*STANDALONE, *FACES)):
            continue
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}


PRIVATE_WORDS = frozenset({"taker", "takers", "only_taker"})
"""Words of ours for what ONNX calls a consumer."""


def test_graphs_are_spoken_of_in_onnx_s_words() -> None:
    for module in paths():
        for node in ast.walk(tree(module)):
            named = {name for key in ("id", "arg", "attr", "name") if isinstance(name := getattr(node, key, None), str)}
            assert not named & PRIVATE_WORDS, f"{module}: {named & PRIVATE_WORDS}"
