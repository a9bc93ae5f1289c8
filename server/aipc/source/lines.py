"""Lines as Python's compiler, editors and the language server protocol count them.

A line ends with ``\\n``, ``\\r\\n`` or ``\\r``. ``str.splitlines`` also ends one at form feeds, at Unicode's line
separators and at six more characters, all of which may stand inside a line of Python: every place after one would be
wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache

_LINE_END = re.compile(r"\r\n|\r|\n")


@lru_cache(maxsize=64)
def split_lines(text: str, *, keepends: bool = False) -> tuple[str, ...]:
    """The lines of a text. As with ``str.splitlines``, an end of line at the end of the text begins no other line."""
    ends = [match.span() for match in _LINE_END.finditer(text)]
    starts = [0, *(end for _, end in ends)]
    stops = [end if keepends else start for start, end in ends]
    lines = [text[start:stop] for start, stop in zip(starts, stops, strict=False)]
    if starts[-1] < len(text):
        lines.append(text[starts[-1] :])
    return tuple(lines)


def line_starts(text: str) -> list[int]:
    """Where each line begins, in code points; also the empty line after an end of line at the end of the text."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


def newline_of(text: str) -> str:
    """How the first line ends; ``\\n`` for a text of one line."""
    end = _LINE_END.search(text)
    return end.group() if end else "\n"
