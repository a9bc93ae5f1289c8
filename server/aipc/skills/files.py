"""The skills that ship with AIPC, and what the open format asks of one (agentskills.io/specification)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aipc.core.errors import InputError

MARK = "SKILL.md"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
MOST_NAME, MOST_DESCRIPTION, MOST_COMPATIBILITY, MOST_LINES = 64, 1024, 500, 500


@dataclass(frozen=True, slots=True)
class Skill:
    name: str
    description: str
    directory: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file, relative to the directory, in alphabetical order."""
        root = Path(self.directory)
        paths = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return tuple(sorted(path.relative_to(root) for path in paths))


def folder() -> Path:
    """Where the skills lie: in the installed package, in the repository, or in the extension.

    Raises:
        InputError: this installation has none.
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package / "skills" / "data", package.parents[1] / "skills", package.parents[2] / "skills"):
        if any(place.glob(f"*/{MARK}")):
            return place
    raise InputError("this installation of AIPC has no skills", remedy="install AIPC again")


@lru_cache(maxsize=1)
def all_skills() -> tuple[Skill, ...]:
    """Every skill by its name."""
    skills = []
    for path in sorted(folder().glob(f"*/{MARK}")):
        fields = front_matter(path.read_text("utf-8"))
        skills.append(Skill(fields.get("name", ""), fields.get("description", ""), str(path.parent)))
    return tuple(skills)


def front_matter(text: str) -> dict[str, str]:
    """The keys between the first two lines of ``---``: one line each, as we write them."""
    lines = text.splitlines()
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        return {}
    fields = {}
    for line in lines[1 : lines.index("---", 1)]:
        key, separator, value = line.partition(": ")
        if separator and not line[0].isspace():
            fields[key] = value.strip()
    return fields


def problems(directory: Path) -> list[str]:
    """What is wrong with a skill by the open format, in sentences; empty when nothing is."""
    path = directory / MARK
    if not path.is_file():
        return [f"{directory.name} has no {MARK}"]
    text = path.read_text("utf-8")
    fields = front_matter(text)
    problems_of_keys = [f"{key} is not a key of the format" for key in fields if key not in _KEYS]
    name, description = fields.get("name", ""), fields.get("description", "")
    if name != directory.name:
        problems_of_keys.append(f"the name {name!r} is not that of the folder {directory.name!r}")
    if not _NAME.fullmatch(name) or len(name) > MOST_NAME:
        problems_of_keys.append(
            f"the name {name!r} is not lowercase words with hyphens of at most {MOST_NAME} characters"
        )
    if not 1 <= len(description) <= MOST_DESCRIPTION:
        problems_of_keys.append(
            f"the description has {len(description)} characters, wanted are 1 to {MOST_DESCRIPTION}"
        )
    if len(fields.get("compatibility", "")) > MOST_COMPATIBILITY:
        problems_of_keys.append(f"compatibility has more than {MOST_COMPATIBILITY} characters")
    if len(text.splitlines()) > MOST_LINES:
        problems_of_keys.append(f"{MARK} has more than {MOST_LINES} lines: move details into references/")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        if not (directory / target).is_file():
            problems_of_keys.append(f"the link to {target} leads nowhere")
    return problems_of_keys
