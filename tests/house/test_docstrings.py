"""What a function takes as arrays is said with its shape or its dtype."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .modules import paths, tree

ARRAYS = re.compile(r"\b(Arrays?|ndarray|NDArray|Tensor)\b")
SAID = re.compile(
    r"``\[[^\]]*\]``|\[[^\]]*\b[A-Za-z]+\b[^\]]*\]|\b(shapes?|dtypes?|scalars?|u?int\d+|float\d+|fp16|fp32|booleans?)\b"
)
VALUES_OF_A_TEXT = "aipc.lint"
"""Its ``Tensor`` is what is known of one while a text is read: no array."""


def test_public_functions_of_arrays_say_shapes_or_dtypes() -> None:
    modules = [module for module in paths() if not module.startswith(VALUES_OF_A_TEXT)]
    silent = [f"{module}:{item.lineno}: {item.name}" for module in modules for item in silent_functions(tree(module))]
    assert not silent, "\n".join(silent)


def test_the_rule_sees_functions_and_methods_and_leaves_private_ones() -> None:
    text = """
def plain(x: Tensor): "Doubled."
def shaped(x: Tensor): "Doubled; ``[N, C]``."
def typed(x: Mapping[str, Array]): "As int64."
def without(x: int): "Doubled."
def _private(x: Tensor): "Doubled."
class Layer:
    async def run(self, *, x: np.ndarray[Any, Any]): "One output."
"""
    assert [item.name for item in silent_functions(ast.parse(text))] == ["plain", "run"]


def silent_functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public functions, and methods of public classes, that take arrays and say neither a shape nor a dtype."""
    classes = [item for item in module.body if isinstance(item, ast.ClassDef) and not item.name.startswith("_")]
    for item in (item for body in (module.body, *(item.body for item in classes)) for item in body):
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) or item.name.startswith("_"):
            continue
        parameters = [*item.args.posonlyargs, *item.args.args, *item.args.kwonlyargs]
        takes = any(ARRAYS.search(ast.unparse(one.annotation)) for one in parameters if one.annotation)
        if takes and not SAID.search(ast.get_docstring(item) or ""):
            yield item
