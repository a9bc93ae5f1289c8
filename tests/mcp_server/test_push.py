"""Pushing to a device asks the user, and the agent cannot answer in the user's place."""

from __future__ import annotations

from typing import Any

import mcp_types as types
import pytest

from .conftest import Connect

PUSH = ("deploy", {"model": "ring", "target": "ssh:nowhere.invalid"})


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_that_cannot_ask_is_refused(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        answer = await client.call_tool(*PUSH)
    assert answer.structured_content["error"]["kind"] == "UserRefusedError"
    assert "--allow-target ssh:nowhere.invalid" in answer.structured_content["error"]["remedy"]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_only_a_yes_lets_the_call_go_on(connect: Connect, mode: str) -> None:
    asked: list[str] = []
    words = [("decline", False), ("cancel", False), ("accept", False), ("accept", True)]

    async def answer(context: Any, parameters: types.ElicitRequestFormParams) -> types.ElicitResult:
        asked.append(parameters.message)
        action, push = words[len(asked) - 1]
        return types.ElicitResult(action=action, content={"push": push} if action == "accept" else None)

    async with connect(mode=mode, elicitation_callback=answer) as client:
        kinds = [(await client.call_tool(*PUSH)).structured_content["error"]["kind"] for _ in words]
    assert len(asked) == len(words)
    assert all("ring" in message and "ssh:nowhere.invalid" in message for message in asked)
    assert kinds[:3] == ["UserRefusedError"] * 3
    assert kinds[3] != "UserRefusedError"  # there is no such device: that is what stops it now


async def test_the_users_own_configuration_can_say_yes(connect: Connect) -> None:
    async with connect("--allow-target", "ssh:nowhere.*") as client:
        answer = await client.call_tool(*PUSH)
    assert answer.structured_content["error"]["kind"] != "UserRefusedError"


async def test_a_set_up_and_a_look_are_asked_for_in_their_own_words(connect: Connect) -> None:
    """A set-up also where pushing is allowed: that was another word of the user's."""
    asked: list[str] = []

    async def answer(context: Any, parameters: types.ElicitRequestFormParams) -> types.ElicitResult:
        asked.append(parameters.message)
        return types.ElicitResult(action="decline")

    async with connect("--allow-target", "ssh:nowhere.*", mode="auto", elicitation_callback=answer) as client:
        refused = await client.call_tool("deploy", {**PUSH[1], "setup": True})
        other = await client.call_tool("targets", {"target": "ssh:other.invalid"})
    assert [item.structured_content["error"]["kind"] for item in (refused, other)] == ["UserRefusedError"] * 2
    assert "installing what it lacks in a directory of its own there" in asked[0]
    assert "connect to the device ssh:other.invalid and look at what it is" in asked[1]


async def test_an_agent_cannot_say_yes_itself(connect: Connect) -> None:
    async with connect() as client:
        for argument in ("confirm", "push", "allow_target"):
            answer = await client.call_tool("deploy", {**PUSH[1], argument: True})
            assert answer.is_error
            assert "called wrongly" in answer.content[0].text
            assert "ssh:nowhere.invalid" not in answer.content[0].text


async def test_an_answer_given_for_another_call_is_none(connect: Connect) -> None:
    async def never(context: Any, parameters: types.ElicitRequestFormParams) -> types.ElicitResult:
        raise AssertionError("the test answers itself")

    async with connect(mode="auto", elicitation_callback=never) as client:
        first = await client.session.call_tool(*PUSH, allow_input_required=True)
        assert isinstance(first, types.InputRequiredResult)
        yes = {"push": types.ElicitResult(action="accept", content={"push": True})}
        other = await client.session.call_tool(
            "deploy",
            {"model": "ring", "target": "ssh:other.invalid"},
            input_responses=yes,
            request_state=first.request_state,
            allow_input_required=True,
        )
    assert isinstance(other, types.InputRequiredResult)
