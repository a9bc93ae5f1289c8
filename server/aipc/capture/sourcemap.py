"""Turn recorded stacks into source ranges, and keep source maps on disk."""

from __future__ import annotations

import linecache
import os
import site
import sysconfig
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import CodeType

from aipc.core import plain_data
from aipc.core.types import Frame, Origin, Position, Range, SourceMap
from aipc.source import code_points_before

from .recorder import RawFrame, Stack


@lru_cache(maxsize=1)
def _library_roots() -> tuple[str, ...]:
    paths = {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {*site.getsitepackages(), site.getusersitepackages()}
    # Our own code, which an editor brings in a folder of its own with the libraries that it needs.
    paths |= {str(Path(__file__).parents[1]), *filter(None, [os.environ.get("AIPC_LIBRARIES")])}
    return tuple(str(Path(path).resolve()) + "/" for path in paths)


@lru_cache(maxsize=4096)
def is_library(file: str) -> bool:
    """True for installed code: the standard library and site-packages. What is typed into a prompt is the author's."""
    if file.startswith(("<ipython-input-", "<python-input-")):
        return False
    resolved = Path(file).resolve().as_posix()
    return resolved.startswith(_library_roots()) or "/site-packages/" in resolved or file.startswith("<")


@lru_cache(maxsize=65536)
def resolve_frame(frame: RawFrame) -> Frame:
    """File, line and column range of one frame. Columns count code points, whole lines where Python has no columns."""
    code, lasti = frame
    line, end_line, column, end_column = _position(code, lasti)
    file = code.co_filename
    start_text, end_text = linecache.getline(file, line), linecache.getline(file, end_line)
    if column is None or end_column is None:
        text = start_text.rstrip("\n")
        start, end = Position(line, len(text) - len(text.lstrip())), Position(line, len(text))
    else:
        start = Position(line, code_points_before(start_text, column))
        end = Position(end_line, code_points_before(end_text, end_column))
    name = getattr(code, "co_qualname", code.co_name)
    return Frame(Range(file, start, end), name, is_library(file))


def _position(code: CodeType, lasti: int) -> tuple[int, int, int | None, int | None]:
    if hasattr(code, "co_positions"):
        for index, position in enumerate(code.co_positions()):
            if index == lasti // 2:
                line, end_line, column, end_column = position
                if line is not None:
                    return line, end_line or line, column, end_column
                break
    line = code.co_firstlineno
    for first, last, number in code.co_lines():
        if first <= lasti < last and number is not None:
            line = number
    return line, line, None, None


def origin(stack: Stack, module_path: str = "", construction: Stack = ()) -> Origin:
    """The origin that a stack stands for.

    Where none of its frames is the author's, the frames that constructed the module follow: the nearest thing to
    the author that there is.
    """
    frames = tuple(resolve_frame(frame) for frame in stack)
    if all(frame.library for frame in frames):
        frames += tuple(resolve_frame(frame) for frame in construction)
    return Origin(frames, module_path)


def constructed_by_author(stack: Stack) -> bool:
    """Whether the author's code asked for this construction, rather than only importing the library that did."""
    for code, _ in stack:
        if not is_library(code.co_filename):
            return True
        if code.co_name == "<module>":
            return False
    return False


def union(origins: Iterable[Sequence[Origin]]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(item for group in origins for item in group))


def save_source_map(source_map: SourceMap, path: Path) -> None:
    path.write_text(plain_data.dumps(source_map, indent=None), "utf-8")


def load_source_map(path: Path) -> SourceMap:
    return plain_data.loads(path.read_text("utf-8"), SourceMap)
