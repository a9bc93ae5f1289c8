"""Every command that a skill contains is run, as it stands there, in a shell that knows nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aipc.skills import all_skills

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = {
    "deploy-to-snapdragon": "examples",
    "fix-unsupported-operators": "examples",
    "quantize-and-debug-accuracy": "examples",
    "connect-a-device": "examples",
    "add-a-rewrite-rule": "examples",
    "read-a-failure-capsule": "tests/e2e/project",
}
BLOCK = re.compile(r"(<!-- slow -->\n)?```bash\n(.*?)```", re.S)


def blocks(name: str) -> list[tuple[bool, str]]:
    """The commands of a skill in their order, with whether they are slow."""
    directory = {skill.name: skill.directory for skill in all_skills()}[name]
    text = Path(directory, "SKILL.md").read_text("utf-8")
    assert text.count("```") == 2 * len(BLOCK.findall(text)), "a fence that is no ```bash block"
    return [(bool(slow), commands) for slow, commands in BLOCK.findall(text)]


def run(name: str, tmp_path: Path, *, slow: bool) -> Path:
    """Run a skill's commands from a clean environment; the directory that they ran in."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / PROJECTS[name], project, ignore=shutil.ignore_patterns(".aipc", "__pycache__"))
    (tmp_path / "home").mkdir()
    programs = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": programs, "HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"}
    if cache := os.environ.get("AIPC_CACHE_DIR"):
        environment["AIPC_CACHE_DIR"] = cache
    script = "set -euo pipefail\n" + "\n".join(commands for is_slow, commands in blocks(name) if slow or not is_slow)
    finished = subprocess.run(
        ["bash", "-c", script], cwd=project, env=environment, capture_output=True, text=True, timeout=880
    )
    assert finished.returncode == 0, f"{script}\n{finished.stdout[-3000:]}\n{finished.stderr[-3000:]}"
    (project / "stdout.txt").write_text(finished.stdout)
    return project


def test_every_skill_has_a_project_to_run_in() -> None:
    assert set(PROJECTS) == {skill.name for skill in all_skills()}


@pytest.mark.parametrize("name", PROJECTS)
def test_the_quick_commands_run(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, slow=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in PROJECTS if name != "deploy-to-snapdragon"])
def test_all_commands_run(name: str, tmp_path: Path) -> None:
    run(name, tmp_path, slow=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_but_the_skill_deploys_lprnet(tmp_path: Path) -> None:
    project = run("deploy-to-snapdragon", tmp_path, slow=True)
    report = json.loads((project / "deploy.json").read_text())
    assert report["ok"]
    assert report["model"] == "lprnet"
    assert report["placement"]["cpu"] == report["placement"]["fails"] == 0
    assert (Path(report["package"]) / "manifest.json").is_file()
    assert report["accuracy"]["outputs"][0]["sqnr_db"] > 40
    assert report["latency"] is None
    said = (project / "stdout.txt").read_text()
    assert "package: " in said
    assert '"ok": true' in said.rpartition("package: ")[2]  # verify, the last command
