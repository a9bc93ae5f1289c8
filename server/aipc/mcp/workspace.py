"""The boundary: a tool reads and writes below the workspace's root only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aipc.core.config import PACKAGE_PREFIX, Config, load_config, resolve_model
from aipc.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Workspace:
    """``root`` is absolute and has no links in it."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Workspace:
        """The workspace at a directory. Raises InputError when it is none."""
        real = root.resolve()
        if not real.is_dir():
            raise InputError(f"{root} is not a directory", remedy="start `aipc mcp` with --root DIR")
        return cls(real)

    def path(self, text: str) -> Path:
        """A path inside, absolute and with its links followed.

        Raises:
            InputError: it leads outside: by an absolute path, by ``..``, or by a link.
        """
        if "\0" in text:
            raise InputError("a path has a NUL character in it", remedy="give a path inside the workspace")
        real = (self.root / text).resolve()
        if not real.is_relative_to(self.root):
            raise self._outside(text)
        return real

    def project(self, name: str) -> Config:
        """The configuration that holds for a model: the workspace's where it names it, else that of its file."""
        config = load_config(self.root)
        if name in config.models:
            return config
        return load_config(resolve_model(name, self.root, config).path.parent)

    def _outside(self, text: str) -> InputError:
        return InputError(f"{text} is outside the workspace {self.root}", remedy="give a path inside it")

    def model(self, name: str) -> str:
        """A model's name, after looking where it leads: its file and its configuration lie inside.

        Raises:
            AipcError: there is no such model, or it lies outside.
        """
        config = load_config(self.root)
        if name not in config.models:
            # Before anything of a file is looked at. The home directory and installed packages are outside.
            if name.startswith(("~", PACKAGE_PREFIX)):
                raise self._outside(name)
            self.path(name)
            self.path(name.rpartition(":")[0])
        ref = resolve_model(name, self.root, config)
        installed = ref.config is not None and ref.config.entry.startswith(PACKAGE_PREFIX)
        if not installed:
            self.path(str(ref.path))
        root = self.project(name).root
        if not root.resolve().is_relative_to(self.root):
            raise InputError(
                f"{name} belongs to the project {root}, outside the workspace {self.root}",
                remedy=f"start `aipc mcp` with --root {root}",
            )
        return name
