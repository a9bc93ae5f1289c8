"""A device's error that speaks of a QNN error code, with its meaning and remedy (see ``qairt/error_codes.py``)."""

from __future__ import annotations

from aipc.qairt.error_codes import explain_failure

from .base import DeviceError, SetupNeededError, UnfitError

_STEPS = frozenset({"run", "profile"})
"""The steps in which QAIRT itself speaks."""


def explained(error: DeviceError) -> DeviceError:
    """The error with QNN's code translated, its own words kept in ``detail``; others as they are."""
    if error.step not in _STEPS or isinstance(error, SetupNeededError | UnfitError):
        return error
    known = explain_failure(f"{error.cause}\n{error.detail}")
    if known is None or (known.name in error.cause and known.meaning in error.cause):
        return error
    return DeviceError(
        known.sentence,
        step=error.step,
        device=error.device,
        remedy=known.remedy,
        detail=f"{error.cause}\n{error.detail}".strip(),
    )
