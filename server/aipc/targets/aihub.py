"""Hosted devices of Qualcomm AI Hub, through its own client. Nothing is asked of the network until one is named."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from .base import Description, Device, DeviceContext

_CONFIGURE = "run qai-hub configure --api_token TOKEN (the token is on AI Hub's account page)"


@dataclass(frozen=True, slots=True)
class AiHub:
    scheme: str = "aihub"

    def discover(self) -> tuple[Description, ...]:
        """Whether AI Hub's client is configured; `aipc targets aihub:` asks it for its devices."""
        title = "Qualcomm AI Hub's hosted devices"
        configuration = Path(os.environ.get("QAIHUB_CLIENT_INI", "~/.qai_hub/client.ini")).expanduser()
        if importlib.util.find_spec("qai_hub") is None and not configuration.is_file():
            reason = f"qai-hub is not installed; run pip install qai-hub, then {_CONFIGURE}"
        elif not configuration.is_file():
            reason = f"qai-hub has no token; {_CONFIGURE}"
        else:
            reason = ""
        return (Description("aihub:", "aihub", title, not reason, reason),)

    def open(self, name: str, context: DeviceContext) -> Device:
        from ._aihub_device import HostedDevice

        return HostedDevice(name.partition(":")[2], context)


TARGET = AiHub()
