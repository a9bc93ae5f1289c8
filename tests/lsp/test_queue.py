"""Checks wait for a core: what is visible goes first, then the newest wish, and no more run than there are cores."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aipc.lsp.queue import JobQueue

pytestmark = pytest.mark.asyncio


async def test_visible_files_go_first_and_then_the_newest():
    visible = {Path("b")}
    queue = JobQueue(1, lambda file: file in visible)
    order, most, running = [], 0, 0
    gate = asyncio.Event()

    async def job(name):
        nonlocal most, running
        async with queue.slot(Path(name)):
            running += 1
            most = max(most, running)
            await gate.wait()
            order.append(name)
            running -= 1

    first = asyncio.create_task(job("first"))
    await asyncio.sleep(0)
    others = [asyncio.create_task(job(name)) for name in "abc"]
    await asyncio.sleep(0)
    assert queue.waiting == 3
    gate.set()
    await asyncio.gather(first, *others)
    assert order == ["first", "b", "c", "a"]
    assert most == 1


async def test_forty_models_use_no_more_than_the_cores():
    queue = JobQueue(2, lambda file: False)
    most = running = 0

    async def job(number):
        nonlocal most, running
        async with queue.slot(Path(str(number))):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(job(number) for number in range(40)))
    assert most == 2


async def test_one_that_gives_up_waiting_leaves_its_place():
    queue = JobQueue(1, lambda file: False)
    async with queue.slot(Path("a")):
        waiting = asyncio.create_task(queue.slot(Path("b")).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert queue.waiting == 0
    async with asyncio.timeout(1), queue.slot(Path("c")):
        pass
