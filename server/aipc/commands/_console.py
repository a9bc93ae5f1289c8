"""What a command writes: its result on stdout, everything else on stderr."""

from __future__ import annotations

import io
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

from aipc.core.errors import StorageError

if TYPE_CHECKING:
    from rich.console import Console


def write(text: str) -> None:
    """Write to stdout. A reader that has gone away (``aipc ... | head``) is not an error.

    Raises:
        StorageError: stdout is a file on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would raise again when the interpreter flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise StorageError(
                f"the output cannot be written: {error.strerror}", remedy="free some space, or write it elsewhere"
            ) from error


def write_json(document: Any) -> None:
    """The one JSON document of ``--json``."""
    from aipc.core.plain_data import dumps

    write(dumps(document) + "\n")


def show(*renderables: Any) -> None:
    """Render with rich and write to stdout: colours only on a terminal, full width when piped."""
    from rich.text import Text

    page = io.StringIO()
    console = _console(page, like=sys.stdout)
    for renderable in renderables:
        # Piped sentences stay on one line, as grep and log files want them; tables keep their columns.
        whole = not console.is_terminal and isinstance(renderable, (str, Text))
        console.print(renderable, markup=False, highlight=False, emoji=False, soft_wrap=whole)
    write("\n".join(line.rstrip() for line in page.getvalue().split("\n")))


def _console(file: TextIO, *, like: TextIO) -> Console:
    from rich.console import Console

    terminal = like.isatty()
    width = shutil.get_terminal_size((100, 25)).columns if terminal else int(os.environ.get("COLUMNS", "120"))
    return Console(file=file, force_terminal=terminal, width=width, soft_wrap=False)
