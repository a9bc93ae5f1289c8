"""What every target can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Description:
    """A place where packages can run."""

    name: str
    kind: str
    title: str
    available: bool
    reason: str = ""
    """Why it is not available, with what to do."""


@dataclass(frozen=True, slots=True)
class TargetRun:
    """``latency`` is None unless a device measured it; ``host_seconds`` is never a latency."""

    latency: Mapping[str, Any] | None
    host_seconds: float


class Target(Protocol):
    scheme: str

    def discover(self) -> tuple[Description, ...]:
        """What is there now."""
        ...

    def run(self, job: Callable[..., Any], *, package: Path, inputs: Path, outputs: Path, soc: str) -> TargetRun:
        """Run ``package`` on the arrays in ``inputs`` (.npz) and write ``outputs`` (.npz)."""
        ...
