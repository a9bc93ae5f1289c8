"""One deployment, walked from the command line to the package: calls go down the layers and never up again."""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path
from types import FrameType

import grimp
import pytest

import aipc
from aipc.cli import run

ROOT = Path(aipc.__path__[0])
CALLBACKS = {
    "aipc.commands._* -> aipc.commands.deploy:*",  # the command itself, wrapped
    "aipc.core.cache -> aipc.pipeline.driver:<lambda>",  # fills the directory of an entry
    "aipc.core.install -> aipc.pipeline.package:build",  # fills the directory of a package
    "aipc.pipeline.remedy -> aipc.pipeline.remedies.*:_applies",
    "aipc.pipeline.remedy -> aipc.pipeline.stage_bench:threshold_db",  # handed down with the attempt
    "aipc.targets.request -> aipc.pipeline.run:job",  # starts a worker whose log is the run's
}
"""Functions that were handed down, and are called from where they were handed to."""
SPINE = ("aipc.cli", "aipc.commands", "aipc.engine", "aipc.pipeline", "aipc.targets", "aipc.core")

MODEL = """
import torch


class Half(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x) * 0.5

    @staticmethod
    def example_inputs():
        return (torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8),)
"""


class Walk:
    """Calls between modules of ours in this process, each with the function that is called."""

    def __init__(self) -> None:
        self.calls: set[tuple[str, str, str]] = set()
        self.order: list[str] = []
        self._names: dict[str, str] = {}

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "call":
            return
        callee = self._module(frame)
        if not callee or frame.f_code.co_name == "<module>":
            return
        caller, name = frame.f_back, ""
        while caller is not None and not name:
            if caller.f_code.co_name == "<module>" or "importlib" in caller.f_code.co_filename:
                return  # an import, not a call
            name, caller = self._module(caller), caller.f_back
        if name and name != callee:
            self.calls.add((name, callee, frame.f_code.co_name))
        if callee not in self.order:
            self.order.append(callee)

    def _module(self, frame: FrameType) -> str:
        """The module of ours that the frame's code was written in; empty for all others."""
        file = frame.f_code.co_filename
        if file not in self._names:
            path = Path(file)
            inside = path.is_relative_to(ROOT) and path.suffix == ".py"
            parts = path.relative_to(ROOT).with_suffix("").parts if inside else ()
            parts = parts[:-1] if parts[-1:] == ("__init__",) else parts
            self._names[file] = ".".join(("aipc", *parts)) if inside else ""
        return self._names[file]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    workspace = tmp_path_factory.mktemp("walk")
    (workspace / "model.py").write_text(MODEL)
    (workspace / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n')
    walk = Walk()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        patch.setenv("AIPC_CACHE_DIR", str(workspace / "cache"))
        before = sys.getprofile()
        sys.setprofile(walk)
        try:
            status = run(["deploy", "model.py:Half", "--out", "package"])
        finally:
            sys.setprofile(before)
    assert status == 0
    assert (workspace / "package" / "manifest.json").is_file()
    return walk


def test_calls_of_a_deployment_never_go_up_again(walk: Walk) -> None:
    graph = grimp.build_graph("aipc")
    known = {module for module in graph.modules if module.startswith("aipc")}
    above = {module: graph.find_upstream_modules(module) for module in {callee for _, callee, _ in walk.calls} & known}
    up = {
        f"{caller} -> {callee}:{name}"
        for caller, callee, name in walk.calls
        # What imports the caller lies above it.
        if caller in above.get(callee, ()) and callee not in graph.find_upstream_modules(caller)
    }
    unknown = {item for item in up if not any(fnmatch(item, known) for known in CALLBACKS)}
    assert not unknown, "\n".join(sorted(unknown))


def test_a_deployment_passes_every_layer_from_the_command_to_the_package(walk: Walk) -> None:
    reached = [next(number for number, item in enumerate(walk.order) if item.startswith(layer)) for layer in SPINE[:-1]]
    assert reached == sorted(reached), [walk.order[number] for number in reached]
    stages = [item.rpartition(".")[2] for item in walk.order if item.startswith("aipc.pipeline.stages.")]
    assert stages == [
        "capture",
        "verify_capture",
        "probes",
        "placement",
        "rewrite",
        "calibrate",
        "quantize",
        "compile",
        "package",
        "run",
        "verify",
    ]
