"""What is in effect for a file, and who says so: for the status bar, the pickers, the lenses and the findings."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from aipc.core.config import Config, load_config
from aipc.core.errors import AipcError
from aipc.pipeline.effective import Effective, in_effect

from .server import AipcServer

SETTING = "the setting aipc.soc"


def effective_for(
    server: AipcServer, folder: Path, model: str | None = None, without_setting: bool = False
) -> Effective:
    """Chip, precision and target of a model, or of a folder where none is named.

    Raises:
        AipcError: the configuration cannot be read, or names an unknown chip.
    """
    config = configuration(folder)
    soc = None if without_setting else server.setting("soc", None)
    return in_effect(config, config.models.get(model or ""), soc=soc, asked_by=SETTING)


def soc_in_effect(server: AipcServer, path: Path) -> str:
    """The part number of the chip of a file; empty while the configuration or the setting is wrong.

    Where all configured models of the file are for one chip, it is that one.
    """
    try:
        config = configuration(path.parent)
        own = {model.soc: model.name for model in config.models.values() if _file(model.entry, config) == path}
        return effective_for(server, path.parent, *(own.values() if len(own) == 1 else ())).soc.value
    except AipcError:
        return ""


def _file(entry: str, config: Config) -> Path:
    return (config.root / entry.rpartition(":")[0]).resolve()


def configuration(folder: Path) -> Config:
    """The configuration of a folder, read again when a file that it may be in has changed. Raises AipcError."""
    settings = _configuration(folder, _stamps(folder))
    if isinstance(settings, AipcError):
        raise settings
    return settings


def _stamps(directory: Path) -> tuple[int, ...]:
    """Changes whenever a configuration at or above ``directory`` does."""
    stamps = []
    for folder in (directory, *directory.parents):
        try:
            stamps.append((folder / "pyproject.toml").stat().st_mtime_ns)
        except OSError:
            stamps.append(0)
    return tuple(stamps)


@lru_cache(maxsize=64)
def _configuration(directory: Path, stamps: tuple[int, ...]) -> Config | AipcError:
    try:
        return load_config(directory)
    except AipcError as error:
        return error
