"""The server: its state, which the features share; ``start`` wires them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

import aipc
from aipc.core.types import Range
from aipc.source import split_lines

from .check_state import CheckState
from .positions import to_lsp_range
from .uris import local_path, to_uri
from .workspace import Documents, Protocol

if TYPE_CHECKING:
    from aipc.core.workers import WorkerPool

    from .checks import Checker


T = TypeVar("T")


class AipcServer(LanguageServer):
    """State shared by the features: settings, the workers, and the results of the last checks."""

    def __init__(self, checker: Callable[[AipcServer], Checker]) -> None:
        """``checker``: makes what checks models, when it is first asked for."""
        super().__init__("aipc", getattr(aipc, "__version__", "0.1.0"), protocol_cls=Protocol)
        self.settings: dict[str, Any] = {}
        self.results: dict[str, CheckState] = {}
        self.generation = 0
        """Raised with every new result, so that pulled diagnostics are known to be old."""
        self.trusted = True
        self.rule_page = ""
        """URI of a rule's page, with ``{rule}`` where its code goes; empty when the client has none."""
        self.offers_agent = False
        """Whether the client has the agent's commands."""
        self.visible: set[Path] = set()
        self._beside = ThreadPoolExecutor(1, "text")
        self._tasks: set[asyncio.Future[None]] = set()
        self._pool: WorkerPool | None = None
        self._make_checker = checker
        self._checker: Checker | None = None

    @property
    def pool(self) -> WorkerPool:
        if self._pool is None:
            from aipc.core.workers import WorkerPool

            self._pool = WorkerPool()
            self._pool.warm()
        return self._pool

    @property
    def checker(self) -> Checker:
        if self._checker is None:
            self._checker = self._make_checker(self)
        return self._checker

    def lines(self, file: str) -> tuple[str, ...]:
        """The lines of a file as the editor has it now."""
        try:
            return split_lines(self.documents.get_text_document(to_uri(file)).source)
        except (OSError, UnicodeDecodeError):
            return ()

    @property
    def documents(self) -> Documents:
        """The open documents; those that are not open are read from the disk."""
        assert isinstance(self.workspace, Documents)
        return self.workspace

    def to_range(self, place: Range, lines: Sequence[str]) -> lsp.Range:
        """A place in the client's units, in a text with these lines."""
        return to_lsp_range(place, lines, self.documents.position_codec)

    def file_of(self, uri: str) -> str | None:
        """The path of a document; None for one that is in no file (``untitled:``, ``git:``, ``http:``)."""
        path = local_path(uri)
        return str(path) if path else None

    async def beside(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do work on a text in a thread of its own, one after another, while other requests are answered."""
        return await asyncio.get_running_loop().run_in_executor(self._beside, work, *arguments)

    def setting(self, name: str, default: Any) -> Any:
        value: Any = self.settings
        for part in name.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return default if value in (None, "") else value

    def keep_task(self, task: asyncio.Future[None]) -> None:
        """Hold a background task until it is done: the event loop itself holds it only weakly."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def results_changed(self) -> None:
        """Have the client ask again for everything that shows results."""
        self.generation += 1
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.diagnostics and workspace.diagnostics.refresh_support:
            self.workspace_diagnostic_refresh(None)
        if workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        self.protocol.notify("aipc/results", {"generation": self.generation})

    def tell_status(self) -> None:
        """What the status bar shows: which models are being checked."""
        running = self._checker.running if self._checker else []
        self.protocol.notify("aipc/checking", {"models": running})
