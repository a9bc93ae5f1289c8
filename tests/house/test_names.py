"""One concept, one name: a class name stands for one class, and names are nouns of the field."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

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


PARTICIPLES = frozenset(
    {"asked", "done", "found", "given", "gone", "held", "kept", "made", "said", "seen", "taken", "told", "words"}
)
"""What happened to a thing is not its name: findings, match, producer, inputs, answer, reason."""
KEYS = {
    ("aipc.agent.verdicts", "AgentReport", "words"),
    ("aipc.agent.verdicts", "GateResult", "words"),
    ("aipc.core.sweeps", "SweepReport", "done"),
    ("aipc.doctor", "Item", "found"),
    ("aipc.rewrites.proofs", "Check", "words"),
}
"""Fields that are keys of documents that other programs read."""


def test_names_are_nouns_and_no_participles() -> None:
    wrong = [f"{module}:{line}: {name}" for module in paths() for name, line in participles(module, tree(module))]
    assert not wrong, "\n".join(wrong)


def participles(module: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names that a module, its functions and classes give, with their lines: parameters, fields and locals, too."""
    if module.rpartition(".")[2].strip("_") in PARTICIPLES:
        yield module, 0
    documented = {
        id(item.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.AnnAssign) and (module, node.name, getattr(item.target, "id", "")) in KEYS
    }
    for node in ast.walk(tree):
        name = given_name(node)
        if name.strip("_") in PARTICIPLES and id(node) not in documented:
            yield name, node.lineno  # type: ignore[attr-defined]


def given_name(node: ast.AST) -> str:
    """The name that a definition, a parameter, an import, or an assignment gives; empty for anything else."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.alias):
        return node.asname or node.name
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return node.attr
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return node.name or ""
    return ""


def test_the_rule_sees_every_kind_of_name() -> None:
    text = """
def told(asked): ...
class Report:
    found: int
async def run(*, held): self.kept = 1
for given, (_, made) in []: ...
match x:
    case [*taken] | {"words": seen}: ...
lambda done: done
import words
said: str = ""
gone = 1
"""
    names = {name for name, _ in participles("aipc.example", ast.parse(text))}
    assert names == PARTICIPLES
    assert [name for name, _ in participles("aipc.x.told", ast.parse(""))] == ["aipc.x.told"]
