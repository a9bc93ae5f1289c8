"""The skills keep to the open format, and agents get them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from aipc.commands import discover
from aipc.core.errors import InputError
from aipc.skills import AGENTS, Skill, all_skills, get_agent, install, problems
from aipc.skills.files import front_matter

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "deploy-to-snapdragon",
    "fix-unsupported-operators",
    "quantize-and-debug-accuracy",
    "connect-a-device",
    "read-a-failure-capsule",
    "add-a-rewrite-rule",
}


def test_every_skill_is_there() -> None:
    assert {skill.name for skill in all_skills()} == NAMES


@pytest.mark.parametrize("skill", all_skills(), ids=lambda skill: skill.name)
def test_a_skill_keeps_to_the_format(skill: Skill) -> None:
    assert problems(Path(skill.directory)) == []
    text = Path(skill.directory, "SKILL.md").read_text("utf-8")
    assert yaml.safe_load(text.split("---\n")[1]) == front_matter(text)  # YAML reads what we do
    assert "Use when" in skill.description
    assert any(path.parts[0] == "references" for path in skill.files)
    for path in skill.files:
        if path.suffix == ".py":
            compile((Path(skill.directory) / path).read_text("utf-8"), str(path), "exec")


@pytest.mark.parametrize("skill", all_skills(), ids=lambda skill: skill.name)
def test_a_skill_names_only_commands_and_skills_that_exist(skill: Skill) -> None:
    pages = [Path(skill.directory) / path for path in skill.files if path.suffix == ".md"]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(r"(?:^|`|\$\(|&& )aipc ([a-z]+)\b", text, re.M))
    assert named <= set(discover()), named - set(discover())
    assert set(re.findall(r"skills?\s+`([a-z-]+)`", text)) <= NAMES


def test_what_is_wrong_with_a_skill_is_said(tmp_path: Path) -> None:
    bad = tmp_path / "Bad--name"
    bad.mkdir()
    (bad / "SKILL.md").write_text(
        f"---\nname: other\ncolour: red\ndescription: {'x' * 1025}\n---\n[a](references/b.md)\n"
    )
    said = "; ".join(problems(bad))
    for word in ("colour", "not that of the folder", "1025 characters", "leads nowhere"):
        assert word in said
    assert problems(tmp_path) == [f"{tmp_path.name} has no SKILL.md"]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)
def test_each_agent_gets_them_where_it_looks(agent, tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    for scope, base in (("project", project / agent.project), ("user", home / agent.user)):
        found = install(all_skills(), agent, scope, project, home=home)
        assert {item.state for item in found} == {"installed"}
        assert {path.parent.name for path in base.glob("*/SKILL.md")} == NAMES
    again = install(all_skills(), agent, "project", project, home=home)
    assert {item.state for item in again} == {"unchanged"}


def test_an_edited_file_is_not_overwritten(tmp_path: Path) -> None:
    agent, skills = get_agent("claude"), all_skills()
    install(skills, agent, "project", tmp_path)
    edited = tmp_path / ".claude/skills/connect-a-device/SKILL.md"
    edited.write_text("mine\n")
    with pytest.raises(InputError, match="was edited there"):
        install(skills, agent, "project", tmp_path)
    assert edited.read_text() == "mine\n"
    states = {item.skill: item.state for item in install(skills, agent, "project", tmp_path, force=True)}
    assert states["connect-a-device"] == "updated"
    assert edited.read_text() != "mine\n"


def test_somebody_elses_skill_of_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    other = tmp_path / ".github/skills/deploy-to-snapdragon"
    other.mkdir(parents=True)
    (other / "SKILL.md").write_text("another\n")
    with pytest.raises(InputError, match="--force"):
        install(all_skills(), get_agent("copilot"), "project", tmp_path)
    assert not (tmp_path / ".github/skills/connect-a-device").exists()  # all of them or none


def test_a_link_there_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious.md"
    precious.write_text("precious\n")
    there = tmp_path / ".claude/skills/connect-a-device"
    there.mkdir(parents=True)
    (there / "SKILL.md").symlink_to(precious)
    with pytest.raises(InputError):
        install(all_skills(), get_agent("claude"), "project", tmp_path)
    install(all_skills(), get_agent("claude"), "project", tmp_path, force=True)
    assert precious.read_text() == "precious\n"


def test_a_file_that_a_new_version_no_longer_has_goes(tmp_path: Path) -> None:
    source = tmp_path / "skill-one"
    (source / "references").mkdir(parents=True)
    (source / "SKILL.md").write_text("---\nname: skill-one\ndescription: d\n---\n")
    (source / "references" / "old.md").write_text("old\n")
    skill = Skill("skill-one", "d", str(source))
    install((skill,), get_agent("agents"), "project", tmp_path)
    (source / "references" / "old.md").unlink()
    (found,) = install((skill,), get_agent("agents"), "project", tmp_path)
    assert found.state == "updated"
    assert not (tmp_path / ".agents/skills/skill-one/references/old.md").exists()


def test_the_command_installs_and_lists(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "aipc", "skills", *arguments]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    listed = json.loads(run("list", "--json").stdout)
    assert {skill["name"] for skill in listed["skills"]} == NAMES
    done = json.loads(run("install", "connect-a-device", "--for", "claude", "--for", "codex", "--json").stdout)
    assert [item["agent"] for item in done["installed"]] == ["claude", "codex"]
    assert (tmp_path / ".agents/skills/connect-a-device/scripts/targets.py").is_file()
    assert run("install").returncode == 2
    assert "did you mean claude" in run("install", "--for", "claud").stderr
    assert run("where", "connect-a-device").stdout.strip().endswith("connect-a-device")


def test_what_is_generated_is_up_to_date() -> None:
    finished = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate_agents.py", "--check"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
