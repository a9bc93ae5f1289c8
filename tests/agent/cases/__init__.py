"""Broken models, one folder each: ``model.py``, what is expected (``case.toml``), and replies that get there.

The replies (``trajectory.jsonl``, lines as traces have them) were written by hand; ``python -m tests.agent.suite``
plays the same cases with a real endpoint.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from aipc import engine
from aipc.agent.verdicts import Budget, Goal, GoalKind

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    name: str
    goal: GoalKind
    expect: str
    """How a run on it ends."""
    begins: str = ""
    """Words of the problem that it begins with; any, where there are none."""

    @property
    def trajectory(self) -> Path:
        return FOLDER / self.name / "trajectory.jsonl"

    def request(self, folder: Path, *, budget: Budget, replay: bool) -> engine.AgentRequest:
        """A project with the case's model in ``folder``, and what to ask of it."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FOLDER / self.name / "model.py", folder / "model.py")
        (folder / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n', "utf-8")
        trace = self.trajectory if replay else None
        return engine.AgentRequest("model.py:Model", goal=Goal(self.goal), budget=budget, cwd=folder, replay=trace)


def all_cases() -> list[Case]:
    found = []
    for file in sorted(FOLDER.glob("*/case.toml")):
        said = tomlkit.parse(file.read_text("utf-8")).unwrap()
        found.append(Case(file.parent.name, GoalKind(said["goal"]), said["expect"], said.get("begins", "")))
    return found
