"""Skills copied to where an agent looks for them. A file that somebody has edited there is not overwritten."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from aipc.core.errors import InputError, StorageError

from .agents import Agent, Scope
from .files import Skill

RECORD = ".aipc-skill.json"
"""Beside an installed SKILL.md: the hash of each file as it was installed."""


@dataclass(frozen=True, slots=True)
class Installed:
    """``state``: ``installed``, ``updated`` or ``unchanged``."""

    skill: str
    agent: str
    scope: Scope
    directory: str
    state: str


def install(
    skills: tuple[Skill, ...],
    agent: Agent,
    scope: Scope,
    project: Path,
    *,
    force: bool = False,
    home: Path | None = None,
) -> tuple[Installed, ...]:
    """Copy skills to an agent's directory, all of them or none.

    Args:
        force: overwrite files that were edited since they were installed, or that are somebody else's.

    Raises:
        InputError: a file there was edited, and ``force`` is not given. StorageError: it cannot be written.
    """
    base = agent.directory(scope, project, home)
    if not force:
        edited = [str(path) for skill in skills for path in _edited(skill, base / skill.name)]
        if edited:
            more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
            raise InputError(f"{edited[0]}{more} was edited there", remedy="keep a copy, then use --force")
    try:
        return tuple(
            Installed(skill.name, agent.name, scope, str(base / skill.name), _copy(skill, base / skill.name))
            for skill in skills
        )
    except OSError as error:
        raise StorageError(
            f"{error.filename} cannot be written: {error.strerror}", remedy="check its permissions"
        ) from error


def _edited(skill: Skill, to: Path) -> list[Path]:
    """Files there that are neither as they were installed nor as they would be now."""
    record = _record(to)
    paths = []
    for name in {*map(str, skill.files), *record}:
        path = to / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            paths.append(path)
        elif path.is_file():
            source = Path(skill.directory, name)
            known = {record.get(name), _digest(source) if source.is_file() else None}
            if _digest(path) not in known:
                paths.append(path)
    return sorted(paths)


def _copy(skill: Skill, to: Path) -> str:
    before = _record(to)
    now = {str(name): _digest(Path(skill.directory, name)) for name in skill.files}
    same = before == now and all((to / name).is_file() and _digest(to / name) == now[name] for name in now)
    if same:
        return "unchanged"
    existed = (to / "SKILL.md").is_file()
    for name in before.keys() - now.keys():
        (to / name).unlink(missing_ok=True)
    for name in now:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).unlink(missing_ok=True)
        shutil.copy(Path(skill.directory, name), to / name)
    (to / RECORD).write_text(json.dumps(now, indent=2) + "\n", "utf-8")
    return "updated" if existed else "installed"


def _record(to: Path) -> dict[str, str]:
    try:
        record = json.loads((to / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    inside = {str(name): str(value) for name, value in record.items()} if isinstance(record, dict) else {}
    return {name: value for name, value in inside.items() if (to / name).resolve().is_relative_to(to.resolve())}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
