"""URIs of files, compared by what they name: clients escape the same path in several ways.

VS Code writes ``c%3A`` where Neovim writes ``C:``, and ``%2B`` where others write ``+``.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from pygls.uris import to_fs_path

_DRIVE = re.compile(r"(?i)^file://(?:localhost)?/([a-z]):")


def uri_key(uri: str) -> str:
    """Equal for all spellings of one URI."""
    plain = _DRIVE.sub(lambda match: f"file:///{match[1].lower()}:", unquote(uri))
    return plain.replace("file://localhost/", "file:///", 1)


def to_uri(file: str | Path) -> str:
    """The URI of a file's absolute path."""
    return Path(file).as_uri()


def to_path(uri: str) -> Path:
    """The path of a ``file:`` URI; for any other document, one of which no file exists."""
    return Path(to_fs_path(uri) or uri)


def local_path(uri: str) -> Path | None:
    """The path of a ``file:`` URI, None for documents that are in no file: ``untitled:``, ``git:``, ``http:``."""
    try:
        path = to_fs_path(uri)
    except ValueError:
        return None
    return Path(path) if path and Path(path).is_absolute() else None
