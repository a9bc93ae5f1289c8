"""Import source files as an editor holds them, before they are saved."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from types import CodeType

from aipc.source import split_lines


@contextmanager
def unsaved_sources(texts: Mapping[str, str]) -> Iterator[None]:
    """Within the block, importing one of these files takes the text given for its path."""
    if not texts:
        yield
        return
    original = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        path = loader.get_filename(name)
        text = texts.get(path)
        if text is None:
            return original(loader, name)
        linecache.cache[path] = (len(text), None, list(split_lines(text, keepends=True)), path)
        code: CodeType = compile(text, path, "exec", dont_inherit=True)
        return code

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        SourceFileLoader.get_code = original  # type: ignore[method-assign]
