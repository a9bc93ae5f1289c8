"""Who has the device: one deployment at a time, told to the next one with owner and age; stale locks broken safely."""

from __future__ import annotations

import getpass
import os
import platform
import time
import uuid
from collections.abc import Callable

from aipc.core.errors import CancelledError

from .base import Device, DeviceError, Holder, Owner

STALE_SECONDS = 60.0
"""A holder renews its lock several times within this."""
PATIENCE_SECONDS = 30.0
_PAUSE = 0.5


def new_owner() -> Owner:
    """This process on this computer."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return Owner(f"{user}@{platform.node() or 'unknown'}", os.getpid(), uuid.uuid4().hex)


def is_stale(holder: Holder) -> bool:
    """Whether nobody stands behind a lock any more. Where the device cannot tell, the last renewal decides."""
    if holder.alive is not None:
        return not holder.alive
    return holder.idle > STALE_SECONDS


def take(
    device: Device,
    owner: Owner,
    *,
    patience: float = PATIENCE_SECONDS,
    waiting: Callable[[str], None] = lambda note: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Lock the device, wait for ``patience`` seconds while somebody else has it, and replace a stale lock.

    A stale lock is replaced by its token: had its holder renewed it or another taken it meanwhile, nothing is broken.

    Raises:
        DeviceError: it is still taken; the message has the owner and the age.
    """
    deadline = time.monotonic() + patience
    holder = device.try_lock(owner)
    while holder is not None:
        if cancelled():
            raise CancelledError("cancelled")
        if is_stale(holder):
            waiting(f"breaking the stale lock of {describe(holder)}")
            holder = device.try_lock(owner, break_token=holder.owner.token)
            if holder is None:
                return
        if time.monotonic() > deadline:
            raise DeviceError(
                f"the device is in use by {describe(holder)}", remedy="wait until it is done, or stop it there"
            )
        waiting(f"in use by {describe(holder)}")
        time.sleep(_PAUSE)
        holder = device.try_lock(owner)


def describe(holder: Holder) -> str:
    """``ann@desk (process 4711), for 12 s``."""
    return f"{holder.owner.who} (process {holder.owner.pid}), for {holder.age:.0f} s"
