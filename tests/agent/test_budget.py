"""Caps hold to the token: what could exceed one is made smaller or not sent."""

from __future__ import annotations

import json
import random

import pytest

from aipc.agent.budget import Meter, Spent
from aipc.agent.messages import Message, Reply, ToolSpec
from aipc.agent.verdicts import Budget

TOOL = ToolSpec("look", "Look.", {"type": "object", "properties": {}})


def played(budget: Budget, seed: int) -> tuple[Meter, int]:
    """A conversation with an endpoint that takes as many tokens as it may; its true use is counted beside."""
    draw = random.Random(seed)
    meter = Meter(budget)
    messages = [Message("system", "x" * draw.randrange(2000)), Message("user", "größe " * draw.randrange(300))]
    used, density = 0, draw.randrange(1, 5)
    tools = len(json.dumps(dict(TOOL.parameters)))
    for _ in range(200):
        try:
            room = meter.room(messages, (TOOL,))
        except Spent:
            return meter, used
        # One tokenizer: what a message was counted as, it is counted as again.
        prompt = tools + sum(len(item.content.encode()) // (1 + i % density) + 8 for i, item in enumerate(messages))
        completion = room if draw.random() < 0.3 else draw.randrange(room) + 1
        used += prompt + completion
        counted = draw.random() < 0.7
        said = "y" * completion
        reply = Reply(said, prompt=prompt if counted else None, completion=completion if counted else None)
        meter.count(reply, messages, (TOOL,))
        messages += [Message("assistant", said), Message("user", "z" * draw.randrange(3000))]
    return meter, used


@pytest.mark.parametrize("seed", range(40))
def test_no_conversation_takes_more_than_its_cap(seed):
    budget = Budget(tokens=20_000 + 997 * seed, reply_tokens=1500)
    meter, used = played(budget, seed)
    assert used <= budget.tokens
    assert meter.usage.tokens <= budget.tokens
    assert meter.requests > 0


def test_the_last_reply_is_made_as_short_as_what_is_left():
    meter = Meter(Budget(tokens=1000, reply_tokens=500))
    messages = [Message("user", "a" * 100)]
    bound = meter.bound(messages, ())
    meter.prompt = 1000 - bound - 100
    assert meter.room(messages, ()) == 100
    meter.prompt += 1
    assert meter.room(messages, ()) == 99
    meter.prompt = 1000 - bound - 63
    with pytest.raises(Spent, match="of 1000 tokens"):
        meter.room(messages, ())


def test_a_cap_on_the_cost_bounds_the_reply():
    meter = Meter(Budget(tokens=10**9, cost=0.01, input_price=1.0, output_price=10.0, reply_tokens=10**6))
    messages = [Message("user", "a" * 984)]
    prompt = meter.bound(messages, ())
    room = meter.room(messages, ())
    assert (prompt * 1.0 + room * 10.0) / 1e6 <= 0.01 < (prompt * 1.0 + (room + 1) * 10.0) / 1e6
    meter.count(Reply("", prompt=prompt, completion=room), messages, ())
    with pytest.raises(Spent, match=r"0\.01 are spent"):
        meter.room(messages, ())


def test_a_lost_reply_counts_in_full():
    meter = Meter(Budget())
    meter.count_lost([Message("user", "hello")], (), 700)
    assert meter.usage.completion == 700
    assert meter.usage.estimated == meter.usage.tokens


def test_time_is_a_cap_also_over_an_interruption():
    meter = Meter(Budget(seconds=10), before=11)
    with pytest.raises(Spent, match="10 seconds"):
        meter.room([Message("user", "hello")], ())
