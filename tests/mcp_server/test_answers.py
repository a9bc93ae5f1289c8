"""The tools give the very documents that the command line prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Connect

Command = Callable[..., dict[str, Any]]
Cases = dict[str, tuple[dict[str, Any], tuple[str, ...]]]

# What another time gives otherwise: times, and how the machine is just then.
VOLATILE = {
    "seconds",
    "host_seconds",
    "timings",
    "cached",
    "run",
    "started",
    "free_bytes",
    "temperature",
    "clock_skew",
}
"""What differs between two runs of the same command."""


def lasting(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: lasting(value) for key, value in document.items() if key not in VOLATILE}
    return [lasting(item) for item in document] if isinstance(document, list) else document


CASES = {
    "ops": ({"name": "grid_sample", "socs": ["sm8650"]}, ("ops", "grid_sample", "--soc", "sm8650")),
    "targets": ({}, ("targets",)),
    "doctor": ({}, ("doctor",)),
    "check": ({"model": "ring"}, ("check", "ring")),
    "placement": ({"model": "ring", "all": True}, ("placement", "ring", "--all")),
    "explain_finding": ({"rule": "pad-mode", "op": "Pad"}, ("explain", "pad-mode", "--op", "Pad")),
}
PACKAGE = ".aipc/packages/ring-sm8650-fp16"
DEPLOYING = {
    "fix": ({"model": "ring"}, ("fix", "ring", "--diff")),
    "deploy": ({"model": "ring"}, ("deploy", "ring")),
    "verify": ({"package": PACKAGE}, ("verify", PACKAGE)),
    "run": ({"package": PACKAGE, "output": "out.npz"}, ("run", PACKAGE, "--output", "out.npz")),
    "runs": ({}, ("runs",)),
}


async def assert_equal(connect: Connect, command: Command, cases: Cases) -> None:
    async with connect() as client:
        for name, (arguments, line) in cases.items():
            printed = command(*line)
            answer = await client.call_tool(name, arguments)
            assert not answer.is_error, (name, answer.content)
            assert "error" not in printed, (name, printed)
            assert lasting(answer.structured_content) == lasting(printed), name


async def test_answers_equal_the_command_line(connect: Connect, command: Command) -> None:
    await assert_equal(connect, command, CASES)


@pytest.mark.slow
async def test_deployments_equal_the_command_line(connect: Connect, command: Command, project: Path) -> None:
    await assert_equal(connect, command, DEPLOYING)
    fits = {"target": "simulator", "package": PACKAGE}
    await assert_equal(connect, command, {"targets": (fits, ("targets", "simulator", "--package", PACKAGE))})
    assert (project / "out.npz").is_file()


async def test_a_look_at_one_target_equals_the_command_line(connect: Connect, command: Command) -> None:
    await assert_equal(connect, command, {"targets": ({"target": "simulator"}, ("targets", "simulator"))})


async def test_errors_equal_the_command_line(connect: Connect, command: Command) -> None:
    cases = {
        "check": ({"model": "rng"}, ("check", "rng")),
        "verify": ({"package": "nowhere"}, ("verify", "nowhere")),
        "agent": ({"model": "ring", "tokens": 1000}, ("agent", "ring", "--tokens", "1000")),  # no model is configured
        "ops": ({"name": "no_such_operator"}, ("ops", "no_such_operator")),
    }
    async with connect() as client:
        for name, (arguments, line) in cases.items():
            answer = await client.call_tool(name, arguments)
            assert answer.is_error
            assert answer.structured_content == command(*line), name


async def test_progress_grows_and_the_text_leaves_out_what_fills_a_context(connect: Connect) -> None:
    told: list[tuple[float, str]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    async with connect() as client:
        answer = await client.call_tool("check", {"model": "ring"}, progress_callback=on_progress)
        job = (await client.call_tool("check", {"model": "ring", "background": True})).structured_content["job"]
        status = await client.call_tool("job_status", {"job": job, "wait": 60})
        result = await client.call_tool("job_result", {"job": job})
    numbers = [number for number, _ in told]
    assert numbers == sorted(set(numbers))
    assert any(message.startswith("capture") for _, message in told), told
    words = json.loads(answer.content[0].text)
    assert "node_placements" not in words
    assert words == {key: value for key, value in answer.structured_content.items() if key != "node_placements"}
    # A job's answer is that of its tool.
    assert status.structured_content["state"] == "done", status
    assert lasting(result.structured_content) == lasting(answer.structured_content)


async def test_wrong_arguments_are_answered_with_the_right_ones(connect: Connect) -> None:
    async with connect() as client:
        for arguments in ({}, {"model": 3}, {"model": "ring", "modle": "x"}, {"model": "ring", "soc": []}):
            answer = await client.call_tool("check", arguments)
            assert answer.is_error
            assert "model, soc" in answer.structured_content["error"]["remedy"]
