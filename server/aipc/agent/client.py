"""Any OpenAI-compatible endpoint. The SDK runs in a worker: the front stays light, and cancelling is killing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aipc.core.errors import ConfigError, WorkerCrashedError
from aipc.core.types import Event
from aipc.core.workers import Limits, WorkerPool

from . import worker_jobs
from .errors import LostReplyError
from .messages import Completion, Reply

DEFAULT_URL = "https://api.openai.com/v1"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_GRACE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a model is asked and how.

    Args:
        url: base URL of the endpoint, with its ``/v1``.
        key: sent as a bearer token; never shown or kept.
        limit_name: the parameter that bounds a reply: ``max_tokens``, or ``max_completion_tokens`` for some models.
        native_tools: False for the text protocol.
        stream: False where an endpoint cannot stream.
        retries: of the SDK, with its back-off, for rate limits and failures of the server.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    limit_name: str = "max_tokens"
    native_tools: bool = True
    stream: bool = True
    retries: int = 4


def configured(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """The endpoint that the environment names, else the user's ``agent.toml``.

    Nothing of it is read from a project: a project that one has only downloaded must not choose where a key is sent.

    Raises:
        ConfigError: none is named, or the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    settings = _file(config_file() if file is None else file)
    model = environment.get("AIPC_AGENT_MODEL") or settings.get("model", "")
    if not model:
        raise ConfigError(
            "no language model is configured for the agent",
            remedy="set AIPC_AGENT_MODEL, AIPC_AGENT_BASE_URL and AIPC_AGENT_API_KEY, or write "
            f'model = "…" and base_url = "…" into {config_file()}',
        )
    variable = settings.get("key_variable") or "AIPC_AGENT_API_KEY"
    url = environment.get("AIPC_AGENT_BASE_URL") or settings.get("base_url") or environment.get("OPENAI_BASE_URL", "")
    key = environment.get("AIPC_AGENT_API_KEY") or environment.get(variable) or environment.get("OPENAI_API_KEY", "")
    tools = environment.get("AIPC_AGENT_TOOLS") or settings.get("tools", "native")
    stream = environment.get("AIPC_AGENT_STREAM", "1") != "0"
    return Settings(url or DEFAULT_URL, model, key, native_tools=tools != "text", stream=stream)


def prices(environment: Mapping[str, str] | None = None, file: Path | None = None) -> tuple[float | None, float | None]:
    """Prices of a million prompt and completion tokens, where the user told them."""
    environment = os.environ if environment is None else environment
    settings = _file(config_file() if file is None else file)
    amounts = []
    for name in ("input_price", "output_price"):
        text = environment.get(f"AIPC_AGENT_{name.upper()}") or settings.get(name)
        try:
            amounts.append(None if text in (None, "") else float(str(text)))
        except ValueError as error:
            raise ConfigError(
                f"{name} is {text!r}, not a number", remedy="give the price of a million tokens"
            ) from error
    return amounts[0], amounts[1]


def config_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("aipc") / "agent.toml"


def _file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomlkit
    from tomlkit.exceptions import ParseError

    try:
        return dict(tomlkit.parse(path.read_text("utf-8")).unwrap())
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", remedy="correct it or remove it") from error


class OpenAIEndpoint:
    """Asks over the ``openai`` SDK. What it learns about the endpoint (its parameters) is kept for later requests."""

    def __init__(self, settings: Settings, pool: WorkerPool, cancel: threading.Event | None = None) -> None:
        parts = urlsplit(settings.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"{settings.url!r} is not the URL of an endpoint", remedy="write https://host/v1")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and settings.key:
            raise ConfigError(
                f"the key would be sent to {parts.hostname} in clear text",
                remedy="use https, or an endpoint without key",
            )
        if not settings.model:
            raise ConfigError("the endpoint's model has no name", remedy="name the model")
        self._settings = settings
        self._pool = pool
        self._cancel = cancel

    @property
    def title(self) -> str:
        return f"{self._settings.model} at {urlsplit(self._settings.url).hostname}"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._settings.key,) if self._settings.key else ()

    @property
    def native_tools(self) -> bool:
        return self._settings.native_tools

    def complete(self, request: Completion, on_delta: Callable[[int], None]) -> Reply:
        """Ask once; raises LanguageModelError where there is no reply."""

        def on_event(event: Event) -> None:
            on_delta(int(event.message))

        try:
            reply: Reply = self._pool.run(
                worker_jobs.COMPLETE,
                {"settings": self._settings, "request": request},
                on_event=on_event,
                limits=Limits(seconds=request.seconds + _GRACE_SECONDS),
                cancel=self._cancel,
            )
        except WorkerCrashedError as error:
            raise LostReplyError(
                f"{self.title} gave no whole reply within {request.seconds:g} seconds", detail=error.detail
            ) from error
        for note in reply.notes:
            if note.startswith("use "):
                self._settings = replace(self._settings, limit_name=note.removeprefix("use "))
            elif note == "no tools":
                self._settings = replace(self._settings, native_tools=False)
            elif note == "no streaming":
                self._settings = replace(self._settings, stream=False)
        return reply
