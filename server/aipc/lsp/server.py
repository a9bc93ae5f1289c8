"""The server: its state, and the wiring of its features. One feature is one file in ``features/``."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from pygls.lsp.server import LanguageServer

import aipc
from aipc.core.workers import WorkerPool

from .results import Checked


class AipcServer(LanguageServer):
    """State shared by the features: settings, the workers, and the results of the last checks."""

    def __init__(self) -> None:
        super().__init__("aipc", getattr(aipc, "__version__", "0.1.0"))
        self.settings: dict[str, Any] = {}
        self.results: dict[str, Checked] = {}
        self.generation = 0
        """Raised with every new result, so that pulled diagnostics are known to be old."""
        self.trusted = True
        self._pool: WorkerPool | None = None

    @property
    def pool(self) -> WorkerPool:
        if self._pool is None:
            self._pool = WorkerPool()
            self._pool.warm()
        return self._pool

    def lines(self, file: str) -> list[str]:
        """The lines of a file as the editor has it now."""
        document = self.workspace.get_text_document(to_uri(file))
        try:
            return document.source.splitlines()
        except OSError:
            return []

    def setting(self, name: str, default: Any) -> Any:
        value: Any = self.settings
        for part in name.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return default if value in (None, "") else value


def to_path(uri: str) -> Path:
    return Path(url2pathname(unquote(urlparse(uri).path)))


def to_uri(file: str | Path) -> str:
    return Path(file).as_uri()


def create() -> AipcServer:
    """A server with every feature of ``features/`` registered."""
    from . import features

    server = AipcServer()
    for module in pkgutil.iter_modules(features.__path__):
        importlib.import_module(f"{features.__name__}.{module.name}").register(server)
    return server


def serve() -> None:
    """Serve over stdin and stdout until the client ends the session."""
    # Whatever else writes to stdout (a library, a child) must not get between the messages.
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    create().start_io(stdin, stdout)
