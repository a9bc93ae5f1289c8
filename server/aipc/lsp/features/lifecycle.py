"""Settings and trust from the client; warm workers once the session has begun."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from ..server import AipcServer
from ..workspace import Protocol


def register(server: AipcServer) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(parameters: lsp.InitializeParams) -> None:
        assert isinstance(server.protocol, Protocol)
        server.protocol.use_documents()
        options: Any = parameters.initialization_options or {}
        server.settings = dict(options.get("settings", {}))
        server.trusted = bool(options.get("trusted", True))
        server.rule_page = str(options.get("rulePage", ""))
        server.offers_agent = bool(options.get("agent", False))

    @server.feature(lsp.INITIALIZED)
    def initialized(parameters: lsp.InitializedParams) -> None:
        if server.trusted:
            server.pool.warm()

    @server.feature(lsp.SHUTDOWN)
    def shutdown(parameters: Any) -> None:
        server.checker.cancel_all()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def changed(parameters: lsp.DidChangeConfigurationParams) -> None:
        if isinstance(parameters.settings, dict):
            server.settings = dict(parameters.settings.get("aipc", parameters.settings))
            server.results_changed()

    @server.feature("aipc/trustGranted")
    def trusted(parameters: Any) -> None:
        server.trusted = True
        server.pool.warm()
