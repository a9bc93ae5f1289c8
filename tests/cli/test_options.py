"""Each option of a request is described once, and every front door has it from there."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
from dataclasses import KW_ONLY, fields
from pathlib import Path
from typing import Any

import pytest
import typer

import aipc
from aipc.agent.request import AgentRequest, JudgeRequest
from aipc.api.evaluating import evaluate
from aipc.cli import build as build_cli
from aipc.core import requests
from aipc.core.config import load_config
from aipc.core.errors import ConfigError
from aipc.core.option import Option, _type_hints, build, option, values_of, with_configured
from aipc.lsp.request import camel, request_from
from aipc.mcp.tools import all_tools

ROOT = Path(__file__).parents[2]
REQUESTS = {
    "agent": AgentRequest,
    "check": requests.CheckRequest,
    "deploy": requests.DeployRequest,
    "evaluate": requests.EvaluationRequest,
    "judge": JudgeRequest,
    "fix": requests.FixRequest,
    "quantize": requests.QuantizeRequest,
    "run": requests.RunRequest,
    "verify": requests.VerifyRequest,
}
ADDED = """
    draft_rounds: int = option(Option(help="Rounds of the draft", minimum=1, configured=True), 7)
    setup: bool = option(SETUP, False)
"""
ASK = """
import importlib.util, json, sys
from pathlib import Path
from aipc.cli import build
from aipc.core.config import load_config
from aipc.core.requests import DeployRequest
from aipc.engine._run import configured
from aipc.lsp.request import request_from
from aipc.mcp.tools import all_tools
import typer

def script(name):
    spec = importlib.util.spec_from_file_location(name, Path(sys.argv[1]) / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

command = typer.main.get_command(build()).commands["deploy"]
model = load_config(Path(sys.argv[2])).models["small"]
pages = script("generate_docs")
print(json.dumps({
    "help": {item.opts[0]: (item.help, item.default) for item in command.params}["--draft-rounds"],
    "tool": all_tools()["deploy"].schema["properties"]["draft_rounds"],
    "editor": request_from({"model": "m", "draftRounds": 5}, DeployRequest).draft_rounds,
    "configuration": model.options,
    "commands page": "`--draft-rounds`" in pages.commands(),
    "configuration page": "`draft_rounds`" in pages.config(),
    "typescript": "  draftRounds?: number;" in script("generate_protocol").page(),
}))
"""


def test_an_option_added_to_the_request_reaches_every_front_door_and_page(tmp_path: Path) -> None:
    copy = tmp_path / "server" / "aipc"
    shutil.copytree(ROOT / "server" / "aipc", copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "core" / "requests.py"
    head, deploy, rest = file.read_text("utf-8").partition("class DeployRequest:")
    file.write_text(head + deploy + rest.replace("\n    setup: bool = option(SETUP, False)\n", ADDED, 1), "utf-8")
    project = tmp_path / "project"
    project.mkdir()
    table = '[tool.aipc.models.small]\nentry = "model.py:Small"\ndraft_rounds = 3\n'
    (project / "pyproject.toml").write_text(table, "utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", ASK, str(ROOT), str(project)],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "server")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "help": ["Rounds of the draft. Default: the configuration's.", 7],
        "tool": {
            "type": "integer",
            "minimum": 1,
            "description": "Rounds of the draft. Default: the configuration's.",
        },
        "editor": 5,
        "configuration": {"draft_rounds": 3},
        "commands page": True,
        "configuration page": True,
        "typescript": True,
    }


def options_of_command(name: str) -> dict[str, Any]:
    group: Any = typer.main.get_command(build_cli())
    return {item.name: item for item in group.commands[name].params}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_command_and_the_tool_say_the_same_of_every_option(name: str) -> None:
    shown = options_of_command(name)
    tool = all_tools().get(name)
    compared = 0
    for item in values_of(REQUESTS[name]):
        if item.option.positional:
            continue
        assert shown[item.name].help == item.help
        assert shown[item.name].default == item.default
        compared += 1
        if tool and not item.option.users_word:
            assert tool.schema["properties"][item.name]["description"].startswith(item.help)
    assert compared >= 2
    if tool:
        assert set(tool.required) == {item.name for item in values_of(REQUESTS[name]) if item.required}


@pytest.mark.parametrize(
    ("function", "request_type"),
    [
        (aipc.check, requests.CheckRequest),
        (aipc.deploy, requests.DeployRequest),
        (evaluate, requests.EvaluationRequest),
    ],
)
def test_the_python_interface_has_the_same_defaults(function: Any, request_type: type) -> None:
    parameters = inspect.signature(function).parameters
    page = inspect.getdoc(function) or ""
    fields = {field: None for item in values_of(request_type) for field in item.place}
    defaults = {field.name: field.default for field in request_type.__dataclass_fields__.values()}  # type: ignore[attr-defined]
    for name in set(fields) - {"model", "package", "data", "full"}:
        assert name in parameters, name
        given = parameters[name].default
        assert (given or None) == (defaults[name] or None), name
        assert name in page or name == "use_cache", f"{name} is not explained"


def test_the_permission_of_a_user_is_no_argument_of_a_tool() -> None:
    permissions = {item.name for item in values_of(AgentRequest) if item.option.users_word}
    assert permissions == {"approximate_db", "agree", "readable"}
    assert not permissions & set(all_tools()["agent"].schema["properties"])
    assert permissions <= set(options_of_command("agent"))


def test_a_switch_gives_its_field_one_value() -> None:
    asked = build(requests.DeployRequest, {"model": "m", "no_cache": True, "thorough": True, "no_probes": False})
    assert (asked.use_cache, asked.probes) == (False, "all")
    assert build(requests.DeployRequest, {"model": "m", "no_cache": False}).use_cache


def test_options_of_a_group_are_the_request_s_own_to_a_user() -> None:
    asked = build(AgentRequest, {"model": "m", "goal": "layernorm-axes:12", "tokens": 5})
    assert (asked.budget.tokens, asked.budget.rounds) == (5, 30)
    assert (asked.goal.rule, asked.goal.line) == ("layernorm-axes", 12)


def test_what_is_asked_stands_above_the_configuration() -> None:
    configured = {"allow_cpu": True, "probes": "none", "unknown": 1}
    asked = with_configured(requests.DeployRequest("m", probes="all"), configured)
    assert (asked.allow_cpu, asked.probes) == (True, "all")


def test_the_configuration_takes_a_request_s_options(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    table = '[tool.aipc.models.small]\nentry = "model.py:Small"\n'
    file.write_text(table + 'allow_cpu = true\nprobes = "all"\n', "utf-8")
    assert load_config(tmp_path).models["small"].options == {"allow_cpu": True, "probes": "all"}
    for wrong, message in (("probes = 'most'", "use one of"), ("allow_cpu = 1", "not of type bool")):
        file.write_text(table + wrong, "utf-8")
        with pytest.raises(ConfigError, match=message):
            load_config(tmp_path)


def test_the_editor_s_arguments_are_the_options_in_camel_case() -> None:
    asked = request_from(
        {"model": "m", "allowCpu": True, "calibrationCount": 4, "soc": "", "unknown": 1}, requests.DeployRequest
    )
    assert (asked.allow_cpu, asked.calibration_count, asked.soc) == (True, 4, None)
    assert camel("no_cache") == "noCache"


def test_a_field_that_is_no_option_is_no_option() -> None:
    names = {item.name for item in values_of(requests.CheckRequest)}
    assert not names & {"cwd", "unsaved", "captured", "inputs"}
    assert option(Option(help="x"), 3).default == 3


@pytest.mark.parametrize("request_type", REQUESTS.values())
def test_the_mark_of_keyword_fields_never_reaches_typing_which_refuses_it_in_python_3_10(request_type: type) -> None:
    hints = _type_hints(request_type)
    assert KW_ONLY not in hints.values() and {field.name for field in fields(request_type)} <= set(hints)
