"""Cancelling ends the work: a call's, a job's, and everything when the client goes away."""

from __future__ import annotations

from pathlib import Path

import anyio
import psutil
import pytest

from .conftest import Connect

SLOW = ("check", {"model": "slow", "no_cache": True})


async def worker(project: Path) -> int:
    """The process that builds the slow model, once it does; it writes its number down."""
    with anyio.fail_after(120):
        while not (project / "pid").is_file() or not (project / "pid").read_text():
            await anyio.sleep(0.1)
    number = int((project / "pid").read_text())
    (project / "pid").unlink()
    assert psutil.pid_exists(number)
    return number


async def gone(number: int) -> bool:
    for _ in range(100):
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return True
        await anyio.sleep(0.1)
    return False


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_cancelled_call_ends_its_worker(connect: Connect, project: Path, mode: str) -> None:
    async with connect(mode=mode) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, *SLOW)
            number = await worker(project)
            group.cancel_scope.cancel()
        assert await gone(number)
        assert not (await client.call_tool("ops", {"name": "relu"})).is_error  # the server is there as before


async def test_a_job_is_started_asked_for_and_cancelled(connect: Connect, project: Path) -> None:
    async with connect() as client:
        started = await client.call_tool("check", {**SLOW[1], "background": True})
        job = started.structured_content["job"]
        assert started.structured_content["state"] == "running"
        number = await worker(project)
        status = await client.call_tool("job_status", {"job": job, "wait": 0.5})
        assert status.structured_content["state"] == "running"
        assert status.structured_content["progress"]["stage"] == "capture"
        early = await client.call_tool("job_result", {"job": job})
        assert "still running" in early.content[0].text
        ended = await client.call_tool("job_cancel", {"job": job})
        assert ended.structured_content["state"] == "cancelled"
        assert await gone(number)
        result = await client.call_tool("job_result", {"job": job})
        assert result.is_error
        assert result.structured_content["error"]["kind"] == "CancelledError"
        assert (await client.call_tool("job_status", {"job": "check-99"})).is_error


async def test_nothing_outlives_the_client(connect: Connect, project: Path) -> None:
    async with connect() as client:
        await client.call_tool("check", {**SLOW[1], "background": True})
        number = await worker(project)
    assert await gone(number)
