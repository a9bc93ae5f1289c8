"""``aipc mcp`` in a workspace that means harm: nothing of it runs and nothing outside changes, whatever is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from .workspace import Hostile, build, watched

VALUES = (
    *("../beside/secret.py:Model", "link.py:Model", "folder/secret.py:Model", "~/x.py:Model", "../../../esc"),
    *("outside", "link", "folder", "..", "/etc/passwd", "../beside/precious.txt", "out\0side", "$(touch x)"),
    *("ssh:-oProxyCommand=x", ".aipc/packages/programs", ".aipc/packages/paths", ".aipc/packages/broken"),
    ".aipc/packages/outside",
)
PLAUSIBLE = {"model": "no.py:Model", "package": ".aipc/packages/programs", "rule": "layernorm-axes", "job": "0"}

EMPTY = {"array": [], "object": {}, "boolean": False, "integer": 1, "number": 1.0}


def schema_of(tool: Any) -> dict[str, Any]:
    """Of a tool as the client sees it, or as the server defines it."""
    schema: dict[str, Any] = getattr(tool, "input_schema", None) or tool.schema
    return schema


def calls(tools: list[Any], values: Sequence[str] = VALUES) -> list[tuple[str, dict[str, Any]]]:
    """Every tool as it is meant, and with each of its texts replaced by what leads elsewhere."""
    found = []
    for tool in tools:
        properties, required = schema_of(tool)["properties"], schema_of(tool)["required"]
        given = {name: PLAUSIBLE.get(name, EMPTY.get(properties[name].get("type"), "x")) for name in required}
        found.append((tool.name, given))
        texts = [name for name, schema in properties.items() if schema.get("type") == "string"]
        found += [(tool.name, {**given, name: value}) for name in texts for value in values]
    return found


def server(hostile: Hostile, command: str) -> StdioServerParameters:
    script = str(Path(sys.executable).with_name("aipc"))
    given = {"aipc": (script, ["mcp"]), "python -m aipc": (sys.executable, ["-P", "-m", "aipc", "mcp"])}[command]
    return StdioServerParameters(command=given[0], args=given[1], cwd=hostile.root, env=hostile.environment)


@pytest.mark.parametrize("command", ["aipc", pytest.param("python -m aipc", marks=pytest.mark.slow)])
async def test_no_tool_runs_what_it_finds_or_changes_what_is_outside(tmp_path: Path, command: str) -> None:
    hostile = build(tmp_path)
    answers = []
    with watched(hostile) as changes:
        async with Client(server(hostile, command)) as client:
            tools = (await client.list_tools()).tools
            for name, arguments in calls(tools):
                with anyio.fail_after(60):
                    answers.append((name, arguments, await client.call_tool(name, arguments)))
    assert changes == [], changes
    assert hostile.who_ran == []
    assert {name for name, _, _ in answers} == {tool.name for tool in tools}
    for name, arguments, answer in answers:
        words = answer.content[0].text
        assert "defect" not in words and "Traceback" not in words, (name, arguments, words)


@pytest.mark.slow
async def test_a_model_of_it_is_deployed_by_its_own_file_alone(tmp_path: Path) -> None:
    """The author's file runs, since it was named; none of the files around it that bear a library's name does."""
    hostile = build(tmp_path)
    (hostile.root / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n')
    (hostile.root / ".aipc" / "runs").unlink()
    with watched(hostile) as changes:
        async with Client(server(hostile, "aipc"), read_timeout_seconds=300) as client:
            deployed = await client.call_tool("deploy", {"model": "model.py:Small"})
            assert not deployed.is_error, deployed.content[0].text
            package = str(Path(deployed.structured_content["package"]).relative_to(hostile.root))
            for name, arguments in [
                ("check", {"model": "model.py:Small", "numerics": True}),
                ("placement", {"model": "model.py:Small", "all": True}),
                ("fix", {"model": "model.py:Small"}),
                ("verify", {"package": package}),
                ("run", {"package": package, "output": "out.npz"}),
                ("quantize", {"model": "model.py:Small", "calibration": "random", "out": "quantized"}),
            ]:
                answer = await client.call_tool(name, arguments)
                assert not answer.is_error, (name, answer.content[0].text)
    assert changes == [], changes
    assert hostile.who_ran == []
