"""Reading ``.pt2`` files as data: PyTorch's own reader unpickles, evaluates and resolves what a file names.

Seen in PyTorch 2.14: constants and weights in pickles, sizes as text that sympy evaluates, guards as text
that is compiled, operators as dotted names below ``torch`` (``torch.os.system`` is one), and compiled libraries.
"""

from __future__ import annotations

import ast
import json
import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import torch

from aipc.core.errors import ModelLoadError

_OPERATOR = re.compile(
    r"torch\.ops(\.[A-Za-z]\w*){2,}|torch\.(sym_\w+|_sym_\w+)|math\.[a-z]\w*|_operator\.(?!call$|methodcaller$|attrgetter$)\w+"
)
_WORD = re.compile(r"[\w.+-]+")
_BUILTINS = frozenset({"abs", "bool", "float", "int", "len", "max", "min", "pow", "round", "sum"})
_NAMES = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__) - _BUILTINS
_EVALUATING = frozenset({"S", "sympify", "parse_expr", "lambdify", "sympy", "torch", "os", "sys"})


def load_program(path: Path) -> torch.export.ExportedProgram:
    """The program of a file that ``torch.export.save`` wrote.

    Raises:
        ModelLoadError: it is none, or reading it would run something.
    """
    _look(path)
    try:
        with _pickles_as_data():
            return torch.export.load(str(path))
    except ModelLoadError:
        raise
    except pickle.UnpicklingError as error:
        raise _refused(path, "objects that are more than tensors") from error
    except Exception as error:
        raise ModelLoadError(
            f"{path} is not an exported program that this PyTorch can read",
            remedy="write it with torch.export.save of the same version",
            detail=str(error),
        ) from error


def _refused(path: Path, what: str) -> ModelLoadError:
    return ModelLoadError(
        f"{path} holds {what}: reading it would run code",
        remedy="export the model from its source, and name that as file.py:Name",
    )


def _look(path: Path) -> None:
    """Refuse a file that names something to be run; one that is no archive at all is the reader's to refuse."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith((".so", ".dll", ".dylib", ".pyd", ".cubin", ".py")):
                raise _refused(path, f"compiled code or source ({name})")
            if not name.endswith(".json"):
                continue
            try:
                content = json.loads(archive.read(name))
            except (ValueError, RecursionError) as error:
                raise ModelLoadError(f"{name} in {path} is not JSON", remedy="export the model again") from error
            for key, text in _texts(content):
                if key == "target" and not _is_operator(text):
                    raise _refused(path, f"the operator {text[:80]!r}")
                if key != "target" and not _is_arithmetic(text):
                    raise _refused(path, f"the expression {text[:80]!r}")


def _texts(content: Any) -> Iterator[tuple[str, str]]:
    """Everything that the reader resolves or evaluates, by the name of its field."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            for key in ("target", "expr_str", "guards_code"):
                value_of_key = value.get(key)
                for text in value_of_key if isinstance(value_of_key, list) else [value_of_key]:
                    if isinstance(text, str):
                        yield key, text


def _is_operator(text: str) -> bool:
    # The names of a mutated buffer and of an input are targets too, and are not resolved.
    resolved = text.startswith(("torch", "math", "_operator", "#"))
    return "__" not in text.replace("torch.ops.", "", 1) and bool(_OPERATOR.fullmatch(text)) if resolved else True


def _is_arithmetic(text: str) -> bool:
    """Whether a text, taken for Python, has only numbers, names, arithmetic, and calls of functions of numbers."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    keys = {id(node.slice) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name.startswith("__") or name in _NAMES | _EVALUATING:
            return False
        value = node.value if isinstance(node, ast.Constant) and id(node) not in keys else None
        # Symbol('s77') and Float('1.5') are how sympy writes sizes.
        if isinstance(value, (str, bytes)) and value and (not _WORD.fullmatch(str(value)) or "__" in str(value)):
            return False
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Await)):
            return False
        if isinstance(node, (ast.JoinedStr, ast.NamedExpr, ast.Starred)):
            return False
    return True


@contextmanager
def _pickles_as_data() -> Iterator[None]:
    """Within the block, pickles give tensors and plain data only."""
    load, loads = torch.load, pickle.loads

    def load_data(*args: Any, **kwargs: Any) -> Any:
        return load(*args, **{**kwargs, "weights_only": True})

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise pickle.UnpicklingError("an object is pickled")

    torch.load, pickle.loads = load_data, refuse
    try:
        yield
    finally:
        torch.load, pickle.loads = load, loads
