"""A text as its top-level statements, each parsed by itself and kept, so that an edit costs one of them.

A block that is not Python at the moment is tried again without its broken lines; what those may have bound is unknown.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .trees import Outline, outline

_REPAIRS = 4
_KEPT = 400_000
"""Characters of text whose trees are kept; a tree takes about a hundred times as much."""
_BEGINNING = re.compile(r"\n(?![\s#)\]}]|(?:else|elif|except|finally|case)\b|\Z)")
"""The end of a line before one that starts a statement."""
_NAME = re.compile(r"\b([A-Za-z_]\w*)\b(?!\s*[.(=\w])|\b([A-Za-z_]\w*)\s*=(?!=)")
_BEGINS = re.compile(r"(async|class|def|from|import|if|for|while|with|try|return|raise|@)\b|@")
_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some lines of a file that are whole statements. Line numbers in ``tree`` count from its own first line."""

    text: str
    tree: ast.Module | None
    """None when it cannot be parsed."""
    lines: tuple[str, ...] = field(repr=False, default=())
    repaired: bool = False
    memory: dict[str, Any] = field(repr=False, default_factory=dict)
    """What others have found out about it."""

    @property
    def sound(self) -> bool:
        """Whether it is Python as it stands."""
        return self.tree is not None and not self.repaired

    def within(self, node: ast.AST) -> Sequence[ast.AST]:
        """What ``trees.Outline`` holds of a definition in this block."""
        known: Outline | None = self.memory.get("outline")
        if known is None:
            known = self.memory["outline"] = outline(self.tree or node)
        return known.within(node)


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
        blocks: list[tuple[int, Block]] = []
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        for start, part in _split(text):
            if blocks and not blocks[-1][1].sound and not _BEGINS.match(part):
                # A line at the margin within brackets is not the start of a statement.
                whole = self.parse(blocks[-1][1].text + part)
                if whole.sound:
                    blocks[-1] = (blocks[-1][0], whole)
                    continue
            blocks.append((start, self.parse(part)))
        return blocks


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Cut before every line that starts a statement at the left margin, with the number of lines before each part."""
    start, lines, decorated = 0, 0, text.startswith("@")
    spans = _quoted(text)
    quote = next(spans, None)
    for match in _BEGINNING.finditer(text):
        place = match.end()
        while quote and quote[1] <= place:
            quote = next(spans, None)
        if quote and quote[0] < place:
            continue
        if not decorated:
            yield lines, text[start:place]
            lines += text.count("\n", start, place)
            start = place
        decorated = text.startswith("@", place)
    if text:
        yield lines, text[start:]


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    """Where strings in triple quotes start and end; one that is not closed ends with the text."""
    place = 0
    quotes = [quote for quote in _QUOTES if quote in text]
    while True:
        positions = [(at, quote) for quote in quotes if (at := text.find(quote, place)) >= 0]
        if not positions:
            return
        start, quote = min(positions)
        place = start + 3
        if "#" in text[text.rfind("\n", 0, start) + 1 : start]:
            continue
        end = text.find(quote, place)
        place = end + 3 if end >= 0 else len(text)
        yield start, place


def _parse(text: str) -> Block:
    lines = tuple(text.removesuffix("\n").split("\n"))
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
