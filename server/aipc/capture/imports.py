"""Whose modules an import gets: a library gets libraries, the author's code its own files first.

Python puts the folder of a program in front of everything, so a file ``profile.py`` or ``yaml.py`` beside a model would
also stand for the library of that name wherever PyTorch imports it later on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from .sourcemap import is_library


class LibrariesFirst(MetaPathFinder):
    """For imports that a library makes: looks everywhere but in the author's folders first.

    Args:
        folders: the author's folders. The rest of the path is read anew each time: a library may extend it while it
            loads, as OpenCV does to find its own extension.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = set(folders)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or not _by_library():
            return None
        return PathFinder.find_spec(fullname, [item for item in sys.path if item not in self.folders])


def _by_library() -> bool:
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return is_library(frame.f_code.co_filename)


def put_first(folders: Sequence[str]) -> None:
    """Put the author's folders first on the import path, for the author's own imports."""
    for finder in sys.meta_path:
        if isinstance(finder, LibrariesFirst):
            finder.folders.update(folders)
            break
    else:
        sys.meta_path.insert(0, LibrariesFirst(folders))
    sys.path[:] = [*folders, *(item for item in sys.path if item not in folders)]
