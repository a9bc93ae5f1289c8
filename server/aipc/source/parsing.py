"""Whether a text is Python, answered in one way for everybody who reads it."""

from __future__ import annotations

import ast
import warnings


def parse_module(text: str) -> ast.Module | None:
    """The syntax tree of a text, or None where it is not Python.

    A text that nests too deeply or holds NUL characters is not Python either. Warnings of the compiler (an invalid
    escape in a string) are not shown: nobody asked to run the text.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def syntax_error(text: str, name: str) -> str:
    """Why a text is not Python, with ``name`` and the line; empty when it is."""
    try:
        ast.parse(text, name)
    except SyntaxError as error:
        return f"{name}:{error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{name}: {error}"
    return ""
