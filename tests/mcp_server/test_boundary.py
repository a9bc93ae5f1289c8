"""The workspace's root is the boundary."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.core.errors import AipcError, InputError
from aipc.core.workers import WorkerPool
from aipc.mcp.jobs import Jobs
from aipc.mcp.server import _described
from aipc.mcp.tool import Call, device_of
from aipc.mcp.tools import all_tools
from aipc.mcp.workspace import Workspace

from .conftest import Connect


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.py").write_text("class Model: pass\n")
    (tmp_path / "inside" / "model.py").write_text("class Model: pass\n")
    (tmp_path / "inside" / "link.py").symlink_to(tmp_path / "secret.py")
    (tmp_path / "inside" / "folder").symlink_to(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", ["../secret.py", "link.py", "folder/secret.py", "a/../../secret.py", "/etc/passwd"])
def test_no_path_leads_outside(outside: Path, text: str) -> None:
    with pytest.raises(InputError, match="outside the workspace"):
        Workspace.at(outside / "inside").path(text)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.py:Model",
        "link.py:Model",
        "folder/secret.py:Model",
        "{outside}/secret.py:Model",
        "~/secret.py:Model",
        "package:torch/nn/modules/linear.py:Linear",
        "../secret.onnx",
    ],
)
def test_no_model_lies_outside(outside: Path, name: str) -> None:
    with pytest.raises(InputError, match="outside the workspace"):
        Workspace.at(outside / "inside").model(name.format(outside=outside))


def test_what_lies_inside_is_taken(outside: Path) -> None:
    workspace = Workspace.at(outside / "inside")
    assert workspace.model("model.py:Model") == "model.py:Model"
    assert workspace.model(f"{outside}/inside/model.py:Model")
    assert workspace.path("new/folder") == outside / "inside" / "new" / "folder"


@pytest.mark.parametrize("name", ["../../../../esc", "..", "a/b"])
def test_a_configured_name_that_is_a_path_is_refused(outside: Path, name: str) -> None:
    config = f'[tool.aipc.models."{name}"]\nentry = "model.py:Model"\n'
    (outside / "inside" / "pyproject.toml").write_text(config)
    with pytest.raises(AipcError, match="is a path"):
        Workspace.at(outside / "inside").model(name)


def test_tools_that_replace_files_say_so() -> None:
    hints = {tool.name: _described(tool).annotations for tool in all_tools().values()}
    for name in ("deploy", "fix", "quantize", "run", "agent"):
        assert hints[name].destructive_hint and not hints[name].read_only_hint
    for name in ("check", "runs", "ops"):
        assert hints[name].read_only_hint and not hints[name].destructive_hint


def test_a_configured_entry_that_leads_outside_is_refused(outside: Path) -> None:
    (outside / "inside" / "pyproject.toml").write_text('[tool.aipc.models.out]\nentry = "../secret.py:Model"\n')
    with pytest.raises(InputError, match="outside the workspace"):
        Workspace.at(outside / "inside").model("out")


def test_a_project_around_the_workspace_is_named(outside: Path) -> None:
    (outside / "pyproject.toml").write_text('[tool.aipc.models.model]\nentry = "inside/model.py:Model"\n')
    with pytest.raises(InputError, match="--root"):
        Workspace.at(outside / "inside").model("model")


def test_a_file_outside_is_not_even_said_to_exist(outside: Path) -> None:
    said = []
    for name in ("../secret.py:Model", "../absent.py:Model"):
        with pytest.raises(AipcError) as error:
            Workspace.at(outside / "inside").model(name)
        said.append(str(error.value).replace("secret", "absent"))
    assert said[0] == said[1]


def test_a_device_that_a_models_own_project_names_is_a_push(outside: Path) -> None:
    part = outside / "inside" / "part"
    part.mkdir()
    (part / "model.py").write_text("class Model: pass\n")
    (part / "pyproject.toml").write_text('[tool.aipc]\ntarget = "ssh:elsewhere"\n')
    workspace, tool = Workspace.at(outside / "inside"), all_tools()["deploy"]

    def pushed(**arguments: str) -> str | None:
        return device_of(tool, Call(arguments, workspace, WorkerPool(), Jobs()))

    assert pushed(model="part/model.py:Model") == "ssh:elsewhere"
    assert pushed(model="part/model.py:Model", target="simulator") is None
    assert pushed(model="model.py:Model") is None
    assert pushed(model="model.py:Model", target="adb:1") == "adb:1"


async def test_every_path_argument_of_every_tool_is_held_back(connect: Connect) -> None:
    calls = [
        ("check", {"model": "../x.py:A"}),
        ("placement", {"model": "/tmp/x.py:A"}),
        ("fix", {"model": "../x.py:A", "apply": True}),
        ("deploy", {"model": "ring", "out": "../out"}),
        ("deploy", {"model": "../x.onnx"}),
        ("deploy", {"model": "ring", "calibration": "/etc"}),
        ("deploy", {"model": "ring", "calibration": "../data.py:batches"}),
        ("quantize", {"model": "ring", "calibration": "../images"}),
        ("quantize", {"model": "ring", "out": "../out"}),
        ("agent", {"model": "ring", "replay": "../trace"}),
        ("run", {"package": ".", "input": "/etc/passwd"}),
        ("run", {"package": ".", "output": "../out.npz"}),
        ("run", {"package": ".."}),
        ("verify", {"package": "/tmp"}),
        ("targets", {"target": "simulator", "package": "../package"}),
    ]
    async with connect() as client:
        for name, arguments in calls:
            answer = await client.call_tool(name, arguments)
            assert answer.is_error, (name, arguments)
            assert "outside the workspace" in answer.content[0].text, (name, arguments, answer.content)
