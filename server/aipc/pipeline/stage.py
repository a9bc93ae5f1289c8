"""What a stage is: a function of artifacts.

A stage is one file in ``stages/`` that defines ``STAGE``. Adding a stage is adding a file. The driver finds out from
``needs`` which stages an artifact takes, and does all that is the same for each of them: the cache, the journal, the
events, and asking the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from aipc.core.types import Gate

from .artifacts import Artifact
from .build import Build
from .run import Run

A = TypeVar("A", bound=Artifact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[A]):
    """One step.

    Args:
        order: position among the stages.
        version: raise it when the same inputs give another result than before.
        artifact: the type of what it makes.
        needs: the types of what it, its key, its gate and its note read; nothing else can be read.
        key: plain data, all that the result depends on besides name and version.
        make: writes files into a directory and returns the artifact.
        gate: the check on the artifact, which it judges and does not change; None when there is nothing to check.
        files: for a stage that learns what it depends on while it works: the recorded files (path -> SHA-256).
        note: one sentence on what was done, for the report.
        beside: whether it may be made while the stages after it are made, up to the first that needs it; of a run with
            what there is before it.
    """

    name: str
    order: int
    version: int
    artifact: type[A]
    needs: tuple[type[Artifact], ...] = ()
    key: Callable[[Build], object]
    make: Callable[[Run, Path], A]
    gate: Callable[[Build, A], Gate | None] = lambda build, artifact: None
    files: Callable[[A], Mapping[str, str] | None] | None = None
    note: Callable[[Build, A], str] = lambda build, artifact: ""
    beside: Callable[[Build], bool] = lambda build: False
    cached: bool = True
    installed: bool = False
    """What it makes is handed to the user: every file of it is hashed, also where it comes from the cache."""


AnyStage = Stage[Any]
