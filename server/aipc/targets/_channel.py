"""The conversation with the helper on a device (``remote/helper.py``) over the stdin and stdout of one ssh process.

Requests are answered by number. Files go in pieces, several under way at once: their number grows while answers come
quickly and shrinks when they do not, so that a slow link never has more in its buffers than it takes in a moment.
Nothing heard for ``silence`` seconds, although signs of life are asked for all the time, means that the connection is
lost.
"""

from __future__ import annotations

import asyncio
import errno
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from aipc.core.hashing import hash_file

from .base import DeviceError, LostError, Progress

PIECE = 1 << 16
_MOST_UNDER_WAY = 64
_QUICK_SECONDS = 0.5


class Reader(Protocol):
    async def readline(self) -> bytes: ...
    async def readexactly(self, n: int) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...


class Channel:
    """One conversation. All methods are coroutines of one event loop."""

    def __init__(self, reader: Reader, writer: Writer, silence: float) -> None:
        self._reader, self._writer, self._silence = reader, writer, silence
        self._waiting: dict[int, asyncio.Future[tuple[Any, bytes]]] = {}
        self._hearing: dict[int, Callable[[str], None]] = {}
        self._next = 0
        self._heard = time.monotonic()
        self._lost: LostError | None = None
        self._sending = asyncio.Lock()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    async def ask(
        self, do: str, content: bytes = b"", *, on_note: Callable[[str], None] | None = None, **arguments: Any
    ) -> Any:
        """One request and its answer. Raises DeviceError for a refusal, LostError when the connection ends.

        Args:
            on_note: called with what the helper says before it answers; what it raises is raised here.
        """
        answer, _ = await self._ask(do, content, arguments, on_note)
        return answer

    async def _ask(
        self, do: str, content: bytes, arguments: Mapping[str, Any], on_note: Callable[[str], None] | None = None
    ) -> tuple[Any, bytes]:
        if self._lost:
            raise self._lost
        self._next += 1
        number = self._next
        future: asyncio.Future[tuple[Any, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if on_note is not None:
            self._hearing[number] = on_note
        request: dict[str, Any] = {"id": number, "do": do, **arguments}
        if content:
            request["bytes"] = len(content)
        try:
            async with self._sending:
                try:
                    self._writer.write(json.dumps(request).encode("ascii") + b"\n" + content)
                    await self._writer.drain()
                except Exception:  # asyncssh's own and the system's: all of them say that the connection is gone
                    self._end("the connection to the device was cut")
            return await future
        finally:
            self._waiting.pop(number, None)
            self._hearing.pop(number, None)

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                self._heard = time.monotonic()
                answer = json.loads(line)
                content = await self._reader.readexactly(int(answer.get("bytes", 0)))
                future = self._waiting.get(answer["id"])
                if future is None or future.done():
                    continue
                if "note" in answer:
                    self._note(answer["id"], future, str(answer["note"]))
                elif "error" in answer:
                    future.set_exception(helper_error(answer["error"]))
                else:
                    future.set_result((answer["ok"], content))
            self._end("the connection to the device was closed")
        except asyncio.CancelledError:
            raise
        except ValueError:
            self._end("the device answered with something that is not AIPC's protocol")
        except Exception as error:
            self._end(f"the connection to the device was cut ({error})" if str(error) else "the connection was cut")

    def _note(self, number: int, future: asyncio.Future[tuple[Any, bytes]], note: str) -> None:
        """Pass on what is said before an answer. A stop there (the user cancelled) is raised where it is awaited."""
        try:
            if hear := self._hearing.get(number):
                hear(note)
        except Exception as error:
            future.set_exception(error)

    async def _watch(self) -> None:
        """Ask for a sign of life, and give up when none comes."""
        while self._lost is None:
            await asyncio.sleep(self._silence / 6)
            if time.monotonic() - self._heard > self._silence:
                self._end(f"nothing was heard from the device for {self._silence:.0f} s")
                return
            ping = asyncio.create_task(self._ask("ping", b"", {}))
            ping.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _end(self, reason: str) -> None:
        if self._lost is None:
            self._lost = LostError(
                reason,
                remedy="check the cable, the network and the device's power; the next run goes on where it stopped",
            )
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._lost)

    async def send_files(
        self, staging: str, files: Mapping[str, Path], have: Mapping[str, int], progress: Progress
    ) -> None:
        """Write ``files`` into the device's directory ``staging``, each from where it stopped the last time."""
        sizes = {name: path.stat().st_size for name, path in files.items()}
        starts = {name: min(have.get(name, 0), sizes[name]) for name in files}
        total, sent = sum(sizes.values()), sum(starts.values())
        resumed = f", {sent / 1e6:.1f} MB of them were there" if sent else ""
        flow = _Flow()

        async def piece(name: str, offset: int, content: bytes) -> None:
            nonlocal sent
            await self.ask("write", content, staging=staging, name=name, offset=offset)
            sent += len(content)
            progress(f"{sent / 1e6:.1f} of {total / 1e6:.1f} MB{resumed}", sent / total if total else 1.0)

        try:
            for name, path in files.items():
                with path.open("rb") as stream:
                    stream.seek(starts[name])
                    offset = starts[name]
                    while content := stream.read(PIECE):
                        await flow.start(piece(name, offset, content))
                        offset += len(content)
                    if sizes[name] == 0:
                        await flow.start(piece(name, 0, b""))
                # In one file the pieces must be written in their order; in the next they start anew.
            await flow.finish()
        finally:
            flow.cancel()

    async def fetch_file(self, name: str, target: Path, progress: Progress) -> None:
        """Read a file of the device into ``target``: complete and with the hash that the device has, or not at all."""
        there = await self.ask("hash", name=name)
        size, partial = int(there["size"]), target.with_name(f".{target.name}.part")
        flow, received = _Flow(), 0

        async def piece(stream: Any, offset: int) -> None:
            nonlocal received
            _, content = await self._ask("read", b"", {"name": name, "offset": offset})
            stream.seek(offset)
            stream.write(content)
            received += len(content)
            progress(f"{received / 1e6:.1f} of {size / 1e6:.1f} MB", received / size if size else 1.0)

        try:
            with partial.open("wb") as stream:
                for offset in range(0, size, PIECE):
                    await flow.start(piece(stream, offset))
                await flow.finish()
            if hash_file(partial) != there["sha256"]:
                raise DeviceError(f"{target.name} arrived damaged", remedy="run again")
            partial.replace(target)
        finally:
            flow.cancel()
            partial.unlink(missing_ok=True)

    async def goodbye(self) -> None:
        """Have the helper end by itself, and stop listening."""
        with suppress(Exception):
            self._writer.write(json.dumps({"id": 0, "do": "bye"}).encode("ascii") + b"\n")
            await asyncio.wait_for(self._writer.drain(), 1)
        for task in self._tasks:
            task.cancel()


class _Flow:
    """Several pieces under way at once, as many as the link takes."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()
        self._most = 2

    async def start(self, work: Any) -> None:
        try:
            while len(self._under_way) >= self._most:
                await self._wait(asyncio.FIRST_COMPLETED)
        except BaseException:
            work.close()
            raise
        task = asyncio.create_task(self._timed(work))
        # Of several pieces that fail together only the first is told.
        task.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._under_way.add(task)

    async def finish(self) -> None:
        while self._under_way:
            await self._wait(asyncio.ALL_COMPLETED)

    async def _wait(self, until: str) -> None:
        finished, self._under_way = await asyncio.wait(self._under_way, return_when=until)
        for task in finished:
            task.result()

    async def _timed(self, work: Any) -> None:
        started = time.monotonic()
        await work
        quick = time.monotonic() - started < _QUICK_SECONDS
        self._most = min(self._most + 1, _MOST_UNDER_WAY) if quick else max(2, self._most // 2)

    def cancel(self) -> None:
        for task in self._under_way:
            task.cancel()


def helper_error(error: Mapping[str, Any]) -> DeviceError:
    """A refusal of the helper in the words of AIPC."""
    kind, message = error["kind"], error["words"]
    place = f" ({error['file']})" if error.get("file") else ""
    if kind == "full" or error.get("errno") in {errno.ENOSPC, errno.EDQUOT}:
        return DeviceError(f"the device's disk is full{place}", remedy="free some space on the device and run again")
    if kind == "os":
        return DeviceError(f"{message}{place}", remedy="check the directory and its permissions on the device")
    if kind == "venv":
        return DeviceError(
            f"the device's Python cannot make a virtual environment: {message}",
            remedy="install its venv module (Debian and Ubuntu: sudo apt install python3-venv)",
        )
    if kind == "pip":
        return DeviceError(f"the libraries could not be installed on the device: {message}", remedy="see --debug")
    if kind == "time":
        return DeviceError(message, remedy="use a smaller model, or restart the device")
    return DeviceError(f"the helper on the device failed: {message}", remedy="this is a defect: report it")
