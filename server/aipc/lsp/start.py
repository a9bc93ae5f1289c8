"""Start the server with all its features. One feature is one file in ``features/``."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pkgutil
import sys
from typing import TYPE_CHECKING

from . import features
from .server import AipcServer

if TYPE_CHECKING:
    from .checks import Checker


def create() -> AipcServer:
    """A server with every feature of ``features/`` registered."""
    server = AipcServer(_checker)
    for module in pkgutil.iter_modules(features.__path__):
        importlib.import_module(f"{features.__name__}.{module.name}").register(server)
    return server


def _checker(server: AipcServer) -> Checker:
    # The engine is imported with the first check, not before the editor has its answer to ``initialize``.
    from .checks import Checker

    return Checker(server)


def serve() -> None:
    """Serve over stdin and stdout until the client ends the session."""
    # Whatever else writes to stdout (a library, a child) must not get between the messages.
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    server = create()
    # What is there now stays: it need not be looked through again and again.
    gc.freeze()
    gc.enable()
    server.start_io(stdin, stdout)
