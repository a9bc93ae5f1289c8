"""The phone on its cable: plug it in, look at it, run a package on it as AIPC does."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.targets.adb import TARGET
from aipc.targets.base import DeviceContext, TargetRun, Work
from aipc.targets.session import execute

from .adb_server import adb
from .phone import PROPERTIES, Phone


class Bench:
    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.environment = environment
        self.phone = Phone(root / "a phone it's")
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.connect()

    @property
    def name(self) -> str:
        return f"adb:{self.phone.adbd.address}"

    @property
    def settings(self) -> dict[str, Any]:
        return {"directory": str(self.phone.directory)}

    def connect(self) -> str:
        self.phone.adbd.plug()
        return adb(self.environment, "connect", self.phone.adbd.address)

    def disconnect(self) -> None:
        adb(self.environment, "disconnect", self.phone.adbd.address)

    def reset(self) -> None:
        phone = self.phone
        phone.cue = lambda service: None
        phone.adbd.received = lambda count: None
        phone.adbd.allowed.set()
        phone.adbd.answering.set()
        phone.set_free(20 << 30)
        phone.set_clock(0)
        for name, value in PROPERTIES.items():
            phone.set_property(name, value)
        for name in ("say", "stop"):
            (phone.root / name).unlink(missing_ok=True)
        if f"{phone.adbd.address}\tdevice" not in adb(self.environment, "devices"):
            self.disconnect()
            self.connect()

    def run(
        self, work: Work, *, setup: bool = True, patience: float = 5.0, name: str | None = None, **settings: Any
    ) -> TargetRun:
        """A run in this process, its journal kept in ``events``. ``name``: another way to the phone."""
        self.events = []
        context = DeviceContext(lambda event: None, threading.Event(), {**self.settings, **settings})
        return execute(
            TARGET,
            name or self.name,
            work,
            context,
            write=lambda event, data: self.events.append((event, data)),
            consent=setup,
            patience=patience,
        )

    def files(self, place: str) -> list[str]:
        directory = self.phone.directory / place
        return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())

    def settled(self, seconds: float = 60.0) -> list[str]:
        """What still runs on the phone or holds its lock, once what was ended had time to go."""
        deadline = time.monotonic() + seconds
        while True:
            left = self.phone.running()
            if (self.phone.directory / "lock").exists():
                left.append("lock")
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.05)
