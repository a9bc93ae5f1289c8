"""Android phones, through the ADB server that runs on this computer. Phones are found without starting anything."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass

from .base import Description, Device, DeviceContext

_SECONDS = 1.0
_NO_SERVER = "no ADB server is running here; run `adb start-server`"
_NO_ADB = "there is no ADB here; install Android's platform tools (Debian: apt install adb) and run `adb start-server`"


@dataclass(frozen=True, slots=True)
class Adb:
    scheme: str = "adb"

    def discover(self) -> tuple[Description, ...]:
        """The phones that the running ADB server knows, with what keeps each from being used."""
        from ._adb_link import state_error

        try:
            listing = _ask_server("host:devices-l")
        except (OSError, ValueError):
            return (Description("adb", "adb", "Android phone", False, _NO_SERVER if shutil.which("adb") else _NO_ADB),)
        descriptions = []
        for line in listing.splitlines():
            serial, _, rest = line.strip().partition(" ")
            if not serial:
                continue
            state, fields = _state(rest)
            model = next((word.removeprefix("model:") for word in fields if word.startswith("model:")), "")
            title = model.replace("_", " ") or "Android phone"
            reason = "" if state == "device" else str(state_error(state))
            descriptions.append(Description(f"adb:{serial}", "adb", title, not reason, reason))
        if not descriptions:
            reason = "ADB sees no phone; plug one in and switch on USB debugging in its settings"
            return (Description("adb", "adb", "Android phone", False, reason),)
        return tuple(descriptions)

    def open(self, name: str, context: DeviceContext) -> Device:
        from ._adb_device import Phone
        from ._adb_link import Link, choose
        from ._adb_python import PhoneWithPython

        kind = PhoneWithPython if context.settings.get("python") else Phone
        return kind(Link(choose(name.partition(":")[2])), context)


def _state(rest: str) -> tuple[str, list[str]]:
    """The state, and the words after it. ``no permissions (...); see [...]`` is a state of several words."""
    fields = rest.split()
    if fields[:2] == ["no", "permissions"]:
        return "no permissions", []
    return (fields[0], fields[1:]) if fields else ("unknown", [])


def _ask_server(service: str) -> str:
    """One question to the ADB server, in its protocol (SERVICES.TXT of Android's adb): length and text both ways.

    Raises:
        OSError: there is no server, or it gives no answer.
    """
    host = os.environ.get("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    port = int(os.environ.get("ANDROID_ADB_SERVER_PORT", "5037"))
    with socket.create_connection((host, port), _SECONDS) as connection:
        connection.sendall(f"{len(service):04x}{service}".encode())
        with connection.makefile("rb") as stream:
            status, size = stream.read(4), stream.read(4)
            if status != b"OKAY" or len(size) != 4:
                raise OSError("the ADB server refused")
            return stream.read(int(size, 16)).decode("utf-8", "replace")


TARGET = Adb()
