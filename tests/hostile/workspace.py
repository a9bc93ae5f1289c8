"""A workspace of somebody who means harm, and a process that watches what is done around it.

Every file of it that could run writes its name into ``ran``: modules with the names of the standard library and of what
AIPC imports, programs, packages, what a configuration names. What lies beside the workspace must stay as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = (
    *("aipc", "attrs", "cattrs", "filelock", "httpx", "lsprotocol", "mcp", "mcp_types", "numpy", "onnx", "onnxruntime"),
    *("openai", "platformdirs", "psutil", "pydantic", "pygls", "rich", "sitecustomize", "tomlkit", "torch", "typer"),
    *("typing_extensions", "usercustomize", "yaml"),
)
NAMES = sorted({name for name in sys.stdlib_module_names if name[0] != "_"} | set(LIBRARIES))

MODEL = """\
import torch
from torch import nn


class Small(nn.Module):
    def forward(self, x):
        return torch.relu(x) * 2

    @staticmethod
    def example_inputs():
        return (torch.ones(1, 3, 8, 8),)
"""
CONFIGURATION = """\
[tool.aipc]
soc = "sm8650"
target = "ssh:-oProxyCommand={program}"

[tool.aipc.models."../../../esc"]
entry = "model.py:Small"

[tool.aipc.models.outside]
entry = "../beside/secret.py:Model"

[tool.aipc.models.link]
entry = "link.py:Model"

[tool.aipc.models.fine]
entry = "model.py:Small"
inputs = "canary.py:inputs"
calibration = "canary.py:samples"
metric = "canary.py:score"
preprocess = "canary.py:prepare"

[tool.aipc.targets."ssh:-oProxyCommand={program}"]
directory = "$({program})"
python = "{program}"
"""
_WATCH = """
import sys
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
class Say(FileSystemEventHandler):
    def on_any_event(self, event):
        if event.event_type in ("created", "modified", "deleted", "moved"):
            print(event.event_type, event.src_path, getattr(event, "dest_path", ""), flush=True)
observer = Observer()
for place in sys.argv[1:]:
    observer.schedule(Say(), place, recursive=True)
observer.start()
print("watching", flush=True)
sys.stdin.read()
observer.stop()
observer.join()
"""


@dataclass(frozen=True, slots=True)
class Hostile:
    """``root``: the workspace. ``beside``: what is next to it. ``home``: the user's. ``ran``: who ran, a line each."""

    root: Path
    beside: Path
    home: Path
    ran: Path

    @property
    def who_ran(self) -> list[str]:
        return sorted(set(self.ran.read_text("utf-8").split("\n"))) if self.ran.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        """For a server: its own home, cache and temporary directory, and nothing of this test run's agent."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIPC", "OPENAI", "XDG"))}
        own = {name: str(self.ran.parent / name) for name in ("AIPC_CACHE_DIR", "TMPDIR")}
        for place in own.values():
            Path(place).mkdir(exist_ok=True)
        return {**kept, **own, "HOME": str(self.home)}

    def seal(self) -> dict[str, str]:
        """Every file beside the workspace and in the home, with the hash of its content or where it leads."""
        return {
            str(path): str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
            for place in (self.beside, self.home)
            for path in sorted(place.rglob("*"))
            if (path.is_symlink() or path.is_file()) and not path.is_relative_to(self.home / ".cache")
        }


def build(directory: Path) -> Hostile:
    """The workspace, below an empty directory."""
    hostile = Hostile(
        directory / "all" / "workspace", directory / "all" / "beside", directory / "home", directory / "ran"
    )
    for place in (hostile.root, hostile.beside, hostile.home):
        place.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        module = hostile.root / f"{name}.py"
        if number % 3 == 0:
            module = hostile.root / name / "__init__.py"
            module.parent.mkdir()
        module.write_text(_canary(hostile, name))
    for name in ("canary", "conftest", "setup"):
        functions = "".join(
            f"\ndef {f}(*a):\n    open({str(hostile.ran)!r}, 'a').write('{f}\\n')\n" for f in _FUNCTIONS
        )
        (hostile.root / f"{name}.py").write_text(_canary(hostile, name) + functions)
    program = hostile.root / ".venv" / "bin" / "python"
    for path in (program, hostile.root / "python", hostile.root / "ssh", hostile.root / ".venv" / "bin" / "aipc"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho program {path.name} >> {hostile.ran}\n")
        path.chmod(0o755)
    (hostile.root / "model.py").write_text(MODEL)
    (hostile.root / "pyproject.toml").write_text(CONFIGURATION.format(program=program))
    (hostile.root / ".vscode").mkdir()
    settings = {
        "aipc.python": str(program),
        "python.defaultInterpreterPath": str(program),
        "aipc.agent.url": "file:///",
    }
    (hostile.root / ".vscode" / "settings.json").write_text(json.dumps(settings))
    (hostile.beside / "secret.py").write_text(_canary(hostile, "secret") + "\nclass Model: pass\n")
    (hostile.beside / "precious.txt").write_text("precious")
    (hostile.home / ".profile").write_text("precious")
    (hostile.root / "link.py").symlink_to(hostile.beside / "secret.py")
    (hostile.root / "folder").symlink_to(hostile.beside)
    _packages(hostile)
    return hostile


_FUNCTIONS = ("inputs", "samples", "score", "prepare")


def _canary(hostile: Hostile, name: str) -> str:
    return f"open({str(hostile.ran)!r}, 'a').write({name + chr(10)!r})\n"


def _packages(hostile: Hostile) -> None:
    """Packages that bring programs, point outside or are no packages; and a directory of results that is a link."""
    packages = hostile.root / ".aipc" / "packages"
    for name, manifest in {
        "programs": {"format": 1, "model": "m", "files": {"run.py": "0" * 64, "numpy.py": "0" * 64}},
        "paths": {"format": 1, "model": "../../x", "files": {"../../../../beside/precious.txt": "0" * 64}},
        "broken": {"format": 99, "files": None, "target": "ssh:-oProxyCommand=x"},
    }.items():
        package = packages / name
        package.mkdir(parents=True)
        (package / "manifest.json").write_text(json.dumps(manifest))
        for file in ("run.py", "numpy.py", "json.py"):
            (package / file).write_text(_canary(hostile, f"package {file}"))
    (packages / "outside").symlink_to(hostile.beside)
    (hostile.root / ".aipc" / "runs").symlink_to(hostile.beside)


@contextmanager
def watched(hostile: Hostile) -> Iterator[list[str]]:
    """Within the block another process notes each change beside the workspace and in the home; at the end its lines."""
    seen: list[str] = []
    command = [sys.executable, "-I", "-c", _WATCH, str(hostile.beside.parent), str(hostile.home)]
    watcher = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert watcher.stdout and watcher.stdout.readline() == "watching\n"
    before = hostile.seal()
    try:
        yield seen
    finally:
        time.sleep(0.3)  # what was written last
        lines, _ = watcher.communicate("")
        # What changes in the workspace is its own affair, and its parent is changed with it. onnxruntime notes a number
        # of this machine in the user's cache.
        mine = (f" {hostile.root}", f" {hostile.root.parent} ", f" {hostile.home}/.cache", f" {hostile.home} ")
        seen += [line for line in lines.splitlines() if not any(place in line for place in mine)]
        seen += [f"sealed: {item}" for item in sorted(before.items() ^ hostile.seal().items())]
