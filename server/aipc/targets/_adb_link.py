"""The connection to one phone, through the user's own ADB server by adbutils.

What runs on the phone is a script of ours with its arguments quoted one by one: no name of a model, a file or a device
is ever part of a script's text. adbutils speaks to the ADB server; states and breaks become sentences here.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.cache import storage_errors

from .base import DeviceError

INSTALL = "pip install adbutils"
SECONDS = 120.0
"""How long a small script may take."""

STATES = {
    "unauthorized": (
        "it has not allowed this computer to debug it",
        "unlock it, tick “Always allow from this computer” and confirm; if nothing is asked, plug it in again",
    ),
    "authorizing": ("it is just being asked to allow this computer", "unlock it and confirm, then run again"),
    "offline": ("it is known to ADB and does not answer", "unplug it and plug it in again, or run `adb reconnect`"),
    "connecting": ("ADB is still connecting to it", "wait a moment and run again"),
    "no permissions": (
        "this user may not use the USB device",
        "add udev rules for it (package android-sdk-platform-tools-common) and plug it in again",
    ),
    "recovery": ("it is in recovery mode", "restart it normally"),
    "sideload": ("it is in sideload mode", "restart it normally"),
    "bootloader": ("it is in its boot loader", "restart it normally"),
    "rescue": ("it is in rescue mode", "restart it normally"),
}
"""State of ADB -> what it means for the user, and what to do."""


@dataclass(frozen=True, slots=True)
class ShellReply:
    status: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line that the command said, its errors first."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else f"exit status {self.status}"


class Link:
    """One phone. Every method raises :class:`DeviceError` when the phone is gone or refuses."""

    def __init__(self, serial: str) -> None:
        self.serial = serial
        with _with_serial(serial):
            self._device = _client().device(serial)
            # Older systems merge stderr into stdout and know no exit status; adbutils has an answer for both.
            self._device.get_features()

    def run(self, script: str, *arguments: str, seconds: float = SECONDS) -> ShellReply:
        """Run a script of ours in the phone's shell; ``$1`` ... are the arguments."""
        with _with_serial(self.serial):
            reply = self._device.shell2(command(script, arguments), timeout=seconds, v2=True)
        # The older protocol has one stream for both.
        out = reply.stdout if reply.stdout or reply.stderr else reply.output
        return ShellReply(reply.returncode, out, reply.stderr)

    def must(self, what: str, script: str, *arguments: str, seconds: float = SECONDS) -> str:
        """Like :meth:`run`; raises when the script fails, else gives what it printed."""
        reply = self.run(script, *arguments, seconds=seconds)
        if reply.status != 0:
            full = "No space left" in reply.err or "No space left" in reply.out
            raise DeviceError(
                f"{what} failed on the phone: {reply.last_line}",
                remedy="free some space on it" if full else "see its words with --debug",
                detail=f"{reply.out}\n{reply.err}"[-4000:],
            )
        return reply.out

    def hold(self, script: str, *arguments: str) -> RunningScript:
        """Start a script that stays until the connection ends; the phone ends it when we or the cable go."""
        with _with_serial(self.serial):
            connection = self._device.open_transport(timeout=SECONDS)
            connection.send_command(f"shell,v2:{command(script, arguments)}")
            connection.check_okay()
        return RunningScript(connection, self.serial)

    def send(self, content: bytes, place: str) -> None:
        """Write a small file on the phone, whole or with an error."""
        with _with_serial(self.serial):
            self._device.sync.push(content, place, 0o644)

    def receive(self, place: str, path: Path) -> int:
        """Read a file of the phone into ``path``; its size."""
        with _with_serial(self.serial):
            content = self._device.sync.read_bytes(place)
        with storage_errors(path.parent):
            path.write_bytes(content)
        return len(content)

    def properties(self, names: Sequence[str]) -> dict[str, str]:
        """System properties of the phone; those that it has not are ""."""
        lines = self.must("reading its properties", 'for name; do getprop "$name"; done', *names).splitlines()
        return dict(zip(names, (line.strip() for line in lines), strict=False))


class RunningScript:
    """A running script, whose output is read line by line and which ends with the connection."""

    def __init__(self, connection: Any, serial: str) -> None:
        self._connection, self._serial = connection, serial
        self._buffer = b""
        self.ended = False

    def line(self) -> str:
        """The next line of its output, "" at its end."""
        with _with_serial(self._serial):
            while b"\n" not in self._buffer and not self.ended:
                header = self._connection.read_exact(5)
                data = self._connection.read_exact(int.from_bytes(header[1:5], "little"))
                if header[0] == 3:
                    self.ended = True
                elif header[0] == 1:
                    self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "replace")

    def close(self) -> None:
        with suppress(OSError):
            self._connection.close()


def command(script: str, arguments: Sequence[str]) -> str:
    """What the phone's shell is given: our script and the quoted arguments, nothing else."""
    # exec: the phone signals the first process only.
    return " ".join(("exec sh -c", *(shlex.quote(part) for part in (script, "sh", *arguments))))


def choose(serial: str) -> str:
    """The serial of the phone that is meant: the only one when none is named. Raises DeviceError."""
    with _with_serial(serial):
        states = {info.serial: info.state for info in _client().list()}
    if not serial:
        if not states:
            raise DeviceError("ADB sees no phone", remedy="plug one in and switch on USB debugging in its settings")
        if len(states) > 1:
            raise DeviceError(
                f"ADB sees several phones: {', '.join(sorted(states))}",
                remedy=f"name one, for example adb:{sorted(states)[0]}",
            )
        serial = next(iter(states))
    if serial not in states:
        there = ", ".join(sorted(states)) or "no phone"
        raise DeviceError(
            f"ADB does not see {serial}; it sees {there}",
            remedy="plug it in and switch on USB debugging, or run `adb connect` for a phone in the network",
        )
    state = states[serial]
    if state != "device":
        raise state_error(state)
    return serial


def state_error(state: str) -> DeviceError:
    known = next((key for key in STATES if state.startswith(key)), "")
    meaning, remedy = STATES.get(known, (f"ADB says it is {state!r}", "unplug it and plug it in again"))
    return DeviceError(meaning, remedy=remedy)


def _client() -> Any:
    try:
        import adbutils
    except ImportError as error:
        raise DeviceError("adbutils, which speaks to ADB, is not installed", remedy=f"run {INSTALL}") from error
    return adbutils.AdbClient()


@contextmanager
def _with_serial(serial: str) -> Iterator[None]:
    """What adbutils raises, as a sentence with a remedy."""
    try:
        yield
    except DeviceError:
        raise
    except Exception as error:
        if not _of_adb(error):
            raise
        raise _sentence(error) from error


def _of_adb(error: BaseException) -> bool:
    return isinstance(error, (OSError, EOFError)) or type(error).__module__.partition(".")[0] == "adbutils"


def _sentence(error: Exception) -> DeviceError:
    message = str(error).strip() or type(error).__name__
    name = type(error).__name__
    if "No adb exe" in message or isinstance(error, FileNotFoundError):
        return DeviceError(
            "there is no `adb` on this computer",
            remedy="install Android's platform tools (Debian: apt install adb) and run again",
        )
    if name in {"AdbConnectionError"} or "connect to adb server" in message:
        return DeviceError("the ADB server cannot be reached", remedy="run `adb start-server`", detail=message)
    for state in ("unauthorized", "authorizing", "offline"):
        if f"device {state}" in message or f"still {state}" in message:
            return state_error(state)
    if message == "FAIL":
        # adbutils drops the words with which the phone refuses a file.
        return DeviceError(
            "the phone refused a file",
            remedy="look whether it is full, or give a directory that its shell may write: directory in "
            '[tool.aipc.targets."adb:…"]',
        )
    if name == "AdbTimeout" or isinstance(error, TimeoutError):
        return DeviceError(
            "the phone did not answer in time", remedy="look whether it hangs, then run again", detail=message
        )
    return _connection_lost(message)


def _connection_lost(reason: str) -> DeviceError:
    return DeviceError(
        "the connection to the phone broke off",
        remedy="check cable or network and run again: what was pushed is kept and taken up",
        detail=reason,
    )
