"""What a kind of fault is, what its trials share, and how many of them fit into a time.

A trial makes one fault from a seed and says what went wrong: a silent success, a traceback, a hang, debris, lost data,
or code that ran where none should. "" is right. The same seed makes the same faults.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

MODEL = """\
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.relu(self.conv(x))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)
"""
_TRIAL_SECONDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault.

    Args:
        trial: ``trial(random, place, shared)`` makes one fault in the empty directory ``place``; what is wrong, or "".
        most: trials of one run at most.
        fixed: trials in the default tests; 0 for kinds that take seconds.
    """

    name: str
    trial: Callable[[Random, Path, Shared], str]
    most: int = 2000
    fixed: int = 0


@dataclass(slots=True)
class Figure:
    trials: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Shared:
    """What all trials of a run use and do not change: a project, its package and the cache that made it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "AIPC_CACHE_DIR": str(self.root / "cache")}

    @cached_property
    def project(self) -> Path:
        project = self.root / "project"
        project.mkdir()
        (project / "model.py").write_text(MODEL)
        (project / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n')
        return project

    @cached_property
    def package(self) -> Path:
        """A verified package, made once with the real compiler and simulator."""
        out = self.root / "package"
        finished = self.aipc(self.project, "deploy", "model.py:Small", "--output", str(out))
        assert finished.returncode == 0, finished.stderr
        return out

    @property
    def cache(self) -> Path:
        """The cache that made the package."""
        assert self.package
        return self.root / "cache"

    def aipc(
        self, cwd: Path, *arguments: str, seconds: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """One command line. Raises TimeoutExpired where it hangs."""
        return subprocess.run(
            [sys.executable, "-m", "aipc", *arguments],
            cwd=cwd,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=seconds,
        )


def all_kinds() -> tuple[Kind, ...]:
    """Every kind, found by walking ``kinds/``."""
    from . import kinds

    names = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    return tuple(importlib.import_module(f"{kinds.__name__}.{name}").KIND for name in names)


def run_trial(kind: Kind, seed: int, number: int, shared: Shared) -> str:
    """One trial; what is wrong, or ""."""
    place = shared.root / "trial"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    try:
        with _alarm(_TRIAL_SECONDS):
            return kind.trial(Random(f"{seed}/{kind.name}/{number}"), place, shared)
    except (subprocess.TimeoutExpired, TimeoutError) as error:
        return f"hang: {error}"
    except Exception:
        return f"traceback: {traceback.format_exc(limit=-4)}"


def run_kind(kind: Kind, seed: int, seconds: float, shared: Shared, count: int = 0) -> Figure:
    """Trials until the time is over, or ``count`` of them; at least one."""
    figure, started = Figure(), time.monotonic()
    for number in range(count or kind.most):
        if wrong := run_trial(kind, seed, number, shared):
            figure.wrong.append(f"{kind.name} {number}: {wrong}")
        figure.trials += 1
        figure.seconds = time.monotonic() - started
        if not count and figure.seconds > seconds:
            break
    return figure


def sentence_problem(finished: subprocess.CompletedProcess[str], statuses: tuple[int, ...] = (2,)) -> str:
    """What is wrong with the end of a command that had to refuse: a status, and one sentence on stderr."""
    words = finished.stderr.strip().splitlines()
    if finished.returncode not in statuses:
        return f"status {finished.returncode}: {words[-1:]}"
    if "Traceback" in finished.stderr or "defect" in finished.stderr:
        return f"no sentence: {finished.stderr[-600:]}"
    if finished.returncode == 2 and not any(line.startswith(("error: ", "run.py: ")) for line in words):
        return f"no error was said: {words[-2:]}"
    return ""


def tree(directory: Path) -> dict[str, bytes]:
    """Every regular file below a directory with its content."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def damage(random: Random, path: Path) -> str:
    """Change a file in one of the ways in which files are damaged; how, in a word."""
    content = bytearray(path.read_bytes())
    how = random.choice(["flip", "flip", "flip", "truncate", "empty", "zeros", "insert", "remove"])
    if how == "remove":
        path.unlink()
        return how
    where = random.randrange(len(content)) if content else 0
    if how == "flip" and content:
        content[where] ^= 1 << random.randrange(8)
    elif how == "truncate":
        del content[where:]
    elif how == "empty":
        content.clear()
    elif how == "zeros" and content:
        content[where : where + 512] = bytes(len(content[where : where + 512]))
    else:
        content[where:where] = random.randbytes(random.randrange(1, 9))
    if content == path.read_bytes():  # zeros over zeros are no damage
        content.append(1)
    path.write_bytes(content)
    return how


def mutate(random: Random, value: Any, depth: int = 0) -> Any:
    """A JSON value with one of its parts replaced by something that does not belong there."""
    if isinstance(value, (dict, list)) and value and random.random() < (0.9 if depth < 3 else 0.5):
        copy = dict(value) if isinstance(value, dict) else list(value)
        key = random.choice(list(copy)) if isinstance(copy, dict) else random.randrange(len(copy))
        action = random.random()
        if action < 0.15:
            del copy[key]
        elif action < 0.25 and isinstance(copy, dict):
            copy[random.choice(STRANGE_NAMES)] = copy[key]
        else:
            copy[key] = mutate(random, copy[key], depth + 1)
        return copy
    return random.choice(STRANGE_VALUES)


STRANGE_NAMES = ("../../x", "/etc/passwd", "a/../../b", "", "\0", "x" * 300, "..", "con", "a\\b", "é\n", "\x1b[2J")
STRANGE_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, -0.0, 2**70, 10**400, "", "nan", "-inf", [], {}, [[]], [None], {"": {}}),
    *STRANGE_NAMES,
)


def dumped(value: Any) -> str:
    return json.dumps(value)


def report(figures: Mapping[str, Figure]) -> str:
    """A line a kind: trials, and how many of them were wrong."""
    lines = [f"{'kind':24}{'trials':>8}{'wrong':>7}{'seconds':>9}"]
    lines += [f"{name:24}{f.trials:8}{len(f.wrong):7}{f.seconds:9.1f}" for name, f in figures.items()]
    trials, wrong = (
        sum(figure.trials for figure in figures.values()),
        sum(len(figure.wrong) for figure in figures.values()),
    )
    return "\n".join([*lines, f"{'all':24}{trials:8}{wrong:7}"])


@contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
