"""A Snapdragon phone on the loopback: what it is asked to run is really run, in a directory that is its storage.

Its shell finds only what Android's toybox has, ``getprop``, and a ``df`` that tells the free space a test gives it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from .adbd import Adbd, Stream

PROPERTIES = {
    "ro.soc.manufacturer": "QTI",
    "ro.soc.model": "SM8650",
    "ro.board.platform": "pineapple",
    "ro.product.model": "Test phone",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.build.version.release": "15",
    "ro.build.fingerprint": "test/phone/phone:15/AIPC/1:user/release-keys",
}
# Programs of Android's toybox that are used, by their real namesakes.
_TOYBOX = (
    "sh",
    "cat",
    "mkdir",
    "mv",
    "rm",
    "rmdir",
    "stat",
    "sha256sum",
    "chmod",
    "ls",
    "sync",
    "find",
    "kill",
    "touch",
)
_BANNER = "device::ro.product.name=phone;ro.product.model=Test phone;ro.product.device=phone;features=shell_v2,cmd"
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)


class Phone:
    """``cue``: called with each service before it starts; a test unplugs the phone there. ``free``: bytes left."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.storage = root / "data" / "local" / "tmp"
        self.storage.mkdir(parents=True)
        self.properties = root / "properties"
        self.properties.mkdir()
        for name, value in PROPERTIES.items():
            self.set_property(name, value)
        self._bin = root / "system" / "bin"
        self._make_bin()
        self.free: int | None = None
        self.set_free(20 << 30)
        self.set_clock(0)
        self.services: list[str] = []
        self.cue: Callable[[str], None] = lambda service: None
        self._processes: set[subprocess.Popen[bytes]] = set()
        self.adbd = Adbd(self._serve, _BANNER)

    @property
    def directory(self) -> Path:
        """Where AIPC is told to put its things on this phone."""
        return self.storage / "aipc"

    def set_property(self, name: str, value: str) -> None:
        (self.properties / name).write_text(value + "\n")

    def set_free(self, count: int) -> None:
        self.free = count
        (self.root / "free").write_text(str(count // 1024))

    def set_clock(self, ahead: int) -> None:
        """Seconds that the phone's clock is ahead of this computer's."""
        (self.root / "ahead").write_text(f"{ahead}\n")

    def unplug_after(self, count: int) -> None:
        """Pull the cable once that many bytes have come in from now on."""
        left = [count]

        def received(size: int) -> None:
            left[0] -= size
            if left[0] <= 0:
                self.adbd.received = lambda count: None
                self.adbd.unplug()

        self.adbd.received = received

    def unplug_at(self, words: str, *, after: float | None = None) -> None:
        """Pull the cable when a service that contains ``words`` is asked for, or ``after`` seconds of it."""

        def cue(service: str) -> None:
            if words in service:
                self.cue = lambda service: None
                if after is None:
                    self.adbd.unplug()
                else:
                    threading.Timer(after, self.adbd.unplug).start()

        self.cue = cue

    def restart(self) -> None:
        """Every process ends, at once."""
        self.adbd.unplug()
        for process in list(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self.adbd.plug()

    def close(self) -> None:
        self.restart()
        self.adbd.unplug()
        for process in list(self._processes):
            process.wait(10)

    def running(self) -> list[str]:
        """Command lines of what still runs on the phone."""
        lines = []
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                with contextlib.suppress(OSError):
                    variables = (directory / "environ").read_bytes().split(b"\0")
                    if f"PHONE={self.root}".encode() in variables:
                        lines.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return lines

    def _make_bin(self) -> None:
        self._bin.mkdir(parents=True)
        for name in _TOYBOX:
            program = shutil.which(name)
            if program:
                (self._bin / name).symlink_to(program)
        self._script("getprop", f'cat "{self.properties}/$1" 2>/dev/null || echo')
        table = 'echo "Filesystem 1K-blocks Used Available Use% Mounted on"; echo "/dev/dm-9 99999999 1 $free 1% /data"'
        self._script("df", f'read -r free < "{self.root}/free"; {table}')

        real = shutil.which("date")
        self._script("date", f'read -r ahead < "{self.root}/ahead"; echo $(($({real} +%s) + ahead))')

    def _script(self, name: str, text: str) -> None:
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def _serve(self, service: str, stream: Stream) -> None:
        self.services.append(service)
        self.cue(service)
        name, _, rest = service.partition(":")
        if name == "sync":
            _Sync(self, stream).run()
        elif name.partition(",")[0] in {"shell", "exec"}:
            self._shell(rest, stream, packets="v2" in name.split(","))

    def _shell(self, command: str, stream: Stream, *, packets: bool) -> None:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if packets else subprocess.STDOUT,
            cwd=self.root,
            env={"PATH": str(self._bin), "PHONE": str(self.root), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        self._processes.add(process)

        def gone() -> None:
            # What adbd does when the host is gone: a hang-up to the first process, and its pipes are closed.
            with contextlib.suppress(OSError):
                if process.poll() is None:
                    process.send_signal(signal.SIGHUP)
                if process.stdin:
                    process.stdin.close()

        stream.on_close = gone
        if stream.closed.is_set():
            gone()
        pumps = [threading.Thread(target=_pump, args=(process.stdout, stream, _STDOUT if packets else None))]
        if packets:
            pumps.append(threading.Thread(target=_pump, args=(process.stderr, stream, _STDERR)))
        threading.Thread(target=_feed, args=(process, stream, packets), daemon=True).start()
        for pump in pumps:
            pump.start()
        status = process.wait()
        for pump in pumps:
            pump.join()
        self._processes.discard(process)
        if packets:
            stream.write(_packet(_EXIT, bytes([status if status >= 0 else 128 - status])))


def _packet(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + struct.pack("<I", len(data)) + data


def _pump(source, stream: Stream, kind: int | None) -> None:
    with contextlib.suppress(OSError, EOFError, ValueError):
        while data := os.read(source.fileno(), 32768):
            stream.write(data if kind is None else _packet(kind, data))
    source.close()


def _feed(process: subprocess.Popen[bytes], stream: Stream, packets: bool) -> None:
    assert process.stdin
    with contextlib.suppress(OSError, EOFError, ValueError):
        while True:
            if packets:
                kind, size = struct.unpack("<BI", stream.read(5))
                data = stream.read(size)
                if kind == _CLOSE_STDIN:
                    break
            else:
                data = stream.read_some()
                if not data:
                    break
            process.stdin.write(data)
            process.stdin.flush()
    with contextlib.suppress(OSError):
        process.stdin.close()


class _Sync:
    """The file service, version 1: STAT, LIST, SEND, RECV."""

    def __init__(self, phone: Phone, stream: Stream) -> None:
        self._phone, self._stream = phone, stream

    def run(self) -> None:
        while True:
            name, size = struct.unpack("<4sI", self._stream.read(8))
            path = self._stream.read(size).decode("utf-8")
            if name == b"QUIT":
                return
            {b"STAT": self._stat, b"LIST": self._list, b"SEND": self._send, b"RECV": self._receive}[name](path)

    def _fail(self, words: str) -> None:
        data = words.encode()
        self._stream.write(struct.pack("<4sI", b"FAIL", len(data)) + data)

    def _inside(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self._phone.root)

    def _stat(self, path: str) -> None:
        mode = size = changed = 0
        with contextlib.suppress(OSError):
            found = os.lstat(path)
            mode, size, changed = found.st_mode, found.st_size, int(found.st_mtime)
        self._stream.write(struct.pack("<4sIII", b"STAT", mode, size & 0xFFFFFFFF, changed))

    def _list(self, path: str) -> None:
        with contextlib.suppress(OSError):
            for item in Path(path).iterdir():
                found, name = item.lstat(), os.fsencode(item.name)
                header = (b"DENT", found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime), len(name))
                self._stream.write(struct.pack("<4sIIII", *header) + name)
        self._stream.write(struct.pack("<4sIIII", b"DONE", 0, 0, 0, 0))

    def _send(self, specification: str) -> None:
        path, _, mode = specification.rpartition(",")
        problem = "" if self._inside(path) else "Permission denied"
        Path(path).parent.mkdir(parents=True, exist_ok=True) if not problem else None
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(Path(path).open("wb")) if not problem else None
            while True:
                name, size = struct.unpack("<4sI", self._stream.read(8))
                if name == b"DONE":
                    break
                data = self._stream.read(size)
                if not problem and self._phone.free is not None and size > self._phone.free:
                    problem = "couldn't write to file: No space left on device"
                if not problem and file:
                    file.write(data)
                    self._phone.set_free(self._phone.free - size)
        if problem:
            self._fail(problem)
            return
        Path(path).chmod(stat.S_IMODE(int(mode)))
        self._stream.write(struct.pack("<4sI", b"OKAY", 0))

    def _receive(self, path: str) -> None:
        try:
            with Path(path).open("rb") as file:
                while data := file.read(1 << 16):
                    self._stream.write(struct.pack("<4sI", b"DATA", len(data)) + data)
        except OSError as error:
            self._fail(str(error.strerror))
            return
        self._stream.write(struct.pack("<4sI", b"DONE", 0))
