"""A text as its top-level statements, each parsed by itself and kept, so that an edit costs one of them.

A block that is not Python at the moment is tried again without its broken lines; what those may have bound is unknown.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_REPAIRS = 4
_KEPT = 400_000
"""Characters of text whose trees are kept; a tree takes about a hundred times as much."""
_CONTINUES = re.compile(r"[\s#)\]}]|else\b|elif\b|except\b|finally\b|case\b|$")
_NAME = re.compile(r"\b([A-Za-z_]\w*)\b(?!\s*[.(=\w])|\b([A-Za-z_]\w*)\s*=(?!=)")
_BEGINS = re.compile(r"(async|class|def|from|import|if|for|while|with|try|return|raise|@)\b|@")
_QUOTES = re.compile(r"\"\"\"|'''")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some lines of a file that are whole statements. Line numbers in ``tree`` count from its own first line."""

    text: str
    tree: ast.Module | None
    """None when it cannot be parsed."""
    lines: tuple[str, ...] = field(repr=False, default=())
    repaired: bool = False
    kept: dict[str, Any] = field(repr=False, default_factory=dict)
    """What others have found out about it."""

    @property
    def sound(self) -> bool:
        """Whether it is Python as it stands."""
        return self.tree is not None and not self.repaired


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """``ast.walk`` without the contexts and operators that nobody asks for, in half the time."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        for name in current._fields:
            child = getattr(current, name, None)
            if isinstance(child, list):
                stack.extend(item for item in child if isinstance(item, ast.AST))
            elif isinstance(child, _FOLLOWED):
                stack.append(child)


_FOLLOWED = (ast.expr, ast.stmt, ast.arguments, ast.arg, ast.pattern)


class Parser:
    """Parses blocks and remembers those that were used last."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[str, Block] = OrderedDict()
        self._size = 0

    def parse(self, text: str) -> Block:
        if block := self._blocks.get(text):
            self._blocks.move_to_end(text)
            return block
        block = self._blocks[text] = _parse(text)
        self._size += len(text)
        while self._size > _KEPT and len(self._blocks) > 1:
            self._size -= len(self._blocks.popitem(last=False)[0])
        return block

    def blocks(self, text: str) -> list[tuple[int, Block]]:
        """The blocks of a file, each with the number of lines before it."""
        found: list[tuple[int, Block]] = []
        for start, part in _split(text):
            if found and not found[-1][1].sound and not _BEGINS.match(part):
                # A line at the margin within brackets is not the start of a statement.
                whole = self.parse(found[-1][1].text + part)
                if whole.sound:
                    found[-1] = (found[-1][0], whole)
                    continue
            found.append((start, self.parse(part)))
        return found


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Cut before every line that starts a statement at the left margin."""
    lines = text.splitlines(keepends=True)
    start, quote, decorated = 0, "", False
    for number, line in enumerate(lines):
        begins = not quote and not _CONTINUES.match(line)
        if begins and number > start and not decorated:
            yield start, "".join(lines[start:number])
            start = number
        if begins:
            decorated = line.startswith("@")
        if '"""' in line or "'''" in line:
            quote = _open_quote(line, quote)
    if lines:
        yield start, "".join(lines[start:])


def _open_quote(line: str, quote: str) -> str:
    """The triple quote that is open after ``line``, with ``quote`` open before it."""
    for match in _QUOTES.finditer(line):
        if not quote:
            if "#" in line[: match.start()]:
                break
            quote = match[0]
        elif quote == match[0]:
            quote = ""
    return quote


def _parse(text: str) -> Block:
    lines = tuple(text.splitlines())
    current = list(lines)
    for attempt in range(_REPAIRS + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse("\n".join(current))
        except SyntaxError as error:
            number = (error.lineno or 1) - 1
            if attempt == _REPAIRS or not 0 <= number < len(current):
                break
            current[number] = _harmless(current[number])
        except (ValueError, RecursionError, MemoryError):
            break
        else:
            return Block(text, tree, lines, attempt > 0)
    return Block(text, None, lines)


def _harmless(line: str) -> str:
    """A line in the place of one that is not Python: every name in it gets an unknown value."""
    indent = line[: len(line) - len(line.lstrip())]
    names = {first or second for first, second in _NAME.findall(line)}
    names = {name for name in names if name.isidentifier() and not _is_keyword(name) and name != "self"}
    return indent + "".join(f"{name} = " for name in sorted(names)) + "__unfinished__"


def _is_keyword(name: str) -> bool:
    import keyword

    return keyword.iskeyword(name)
