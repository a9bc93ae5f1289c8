"""The GitHub action, played by a small runner on a repository made here; the hook and the example workflow."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from aipc.commands import discover

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

MODEL = """\
import torch


class Net(torch.nn.Module):
    def forward(self, x):
        y = torch.erfinv(x)
        return y
"""
CONFIG = """\
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.net]
entry = "model.py:Net"
inputs = { x = "float32[1,4]" }
"""


@dataclass
class Runner:
    """What GitHub's runner does with the ``run`` steps of a composite action. ``uses`` steps are only named."""

    workspace: Path
    inputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""
    used: list[str] = field(default_factory=list)

    def play(self) -> int:
        """The exit status of the first step that fails, else 0."""
        values = {name: spec.get("default", "") for name, spec in ACTION["inputs"].items()} | self.inputs
        for step in ACTION["runs"]["steps"]:
            if "if" in step and not self._holds(step["if"], values):
                continue
            if "uses" in step:
                self.used.append(f"{step['uses']} {self._filled(step['with']['sarif_file'], values)}")
                continue
            output = self.workspace.parent / "output"
            output.write_text("")
            environment = {
                **os.environ,
                **{name: self._filled(value, values) for name, value in step.get("env", {}).items()},
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_OUTPUT": str(output),
                "RUNNER_TEMP": str(self.workspace.parent),
            }
            assert step["shell"] == "bash" and "${{" not in step["run"], "inputs reach the shell as variables only"
            directory = self.workspace / self._filled(step.get("working-directory", "."), values)
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300)
            self.log += done.stdout + done.stderr
            pairs = (line.partition("=") for line in output.read_text().splitlines())
            self.steps[step.get("id", "")] = {name: value for name, _, value in pairs}
            if done.returncode:
                return done.returncode
        return 0

    def _value(self, expression: str, values: dict[str, str]) -> str:
        kind, _, name = expression.partition(".")
        if kind == "inputs":
            return values[name]
        step, _, output = name.partition(".outputs.")
        return self.steps[step][output]

    def _filled(self, text: str, values: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: self._value(match[1], values), text)

    def _holds(self, condition: str, values: dict[str, str]) -> bool:
        parts = re.findall(r"([\w.-]+) (==|!=) '([^']*)'", condition)
        return all((self._value(name, values) == wanted) is (sign == "==") for name, sign, wanted in parts)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    project = folder / "ml"
    project.mkdir()
    (project / "model.py").write_text(MODEL)
    (project / "pyproject.toml").write_text(CONFIG)
    return folder


def aipc(project: Path, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "aipc", *arguments], cwd=project, timeout=300).returncode


@pytest.mark.slow
def test_the_action_fails_on_a_new_finding_and_passes_with_the_baseline(repository: Path) -> None:
    project = repository / "ml"
    assert aipc(project, "check", "--all", "--baseline", "known.json", "--write-baseline") == 0
    with_baseline = {"install": "", "working-directory": "ml", "baseline": "known.json"}
    (project / "model.py").write_text("# The finding moved a line down.\n" + MODEL)
    assert Runner(repository, with_baseline).play() == 0

    (project / "model.py").write_text(MODEL.replace("return y", "return torch.digamma(y)"))
    again = Runner(repository, with_baseline)
    assert again.play() == 1
    annotations = [line for line in again.log.splitlines() if line.startswith("::")]
    assert len(annotations) == 1, "the finding of the baseline is not told again"
    place = "file=ml/model.py,line=7,endLine=7,col=16,endColumn=32"
    assert annotations[0].startswith(f"::error title=AIPC capture-unsupported-operator in net,{place}::")
    assert again.used == [f"github/codeql-action/upload-sarif@v3 {repository.parent / 'aipc.sarif'}"]
    (run,) = json.loads((repository.parent / "aipc.sarif").read_text())["runs"]
    assert sorted(result["baselineState"] for result in run["results"]) == ["new", "unchanged"]


def test_what_cannot_be_checked_is_status_2_and_uploads_nothing(repository: Path) -> None:
    runner = Runner(repository, {"install": "", "models": "$(touch pwned) other", "working-directory": "ml"})
    runner.play()
    assert not list(repository.rglob("pwned")), "inputs are no shell code"
    runner = Runner(repository, {"install": "", "models": "other", "working-directory": "ml"})
    assert runner.play() == 2
    assert runner.used == [] and "there is no model called 'other'" in runner.log


def test_the_action_and_the_workflow_fit_the_schemas_of_github() -> None:
    schemas = files("check_jsonschema") / "builtin_schemas" / "vendor"
    workflow = yaml.safe_load((ROOT / "examples" / "ci" / "snapdragon.yml").read_text("utf-8"))
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads the key as a boolean
    for document, name in ((ACTION, "github-actions.json"), (workflow, "github-workflows.json")):
        schema = json.loads((schemas / name).read_text("utf-8"))
        jsonschema.validators.validator_for(schema)(schema).validate(document)
    used = next(step for step in workflow["jobs"]["check"]["steps"] if step.get("uses", "").startswith("aipc/"))
    assert set(used["with"]) <= set(ACTION["inputs"])


def test_the_hook_runs_a_command_that_there_is() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    program, command, *options = shlex.split(hook["entry"])
    assert (program, hook["language"], hook["pass_filenames"]) == ("aipc", "system", False)
    assert command in discover()
    help_text = subprocess.run(
        [sys.executable, "-m", "aipc", command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(option in help_text for option in options)


def test_a_finding_of_the_baseline_passes_and_the_same_without_it_fails(repository: Path) -> None:
    project = repository / "ml"
    assert aipc(project, "check", "net", "--baseline", "known.json", "--write-baseline") == 0
    inputs = {"install": "", "working-directory": "ml"}
    runner = Runner(repository, inputs | {"baseline": "known.json"})
    assert runner.play() == 0 and "::error" not in runner.log
    assert Runner(repository, inputs | {"fail-on": "error"}).play() == 1
