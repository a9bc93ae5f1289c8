"""Whether a precision has the data that it takes."""

from __future__ import annotations

from aipc.core.errors import InputError

from .build import Build


def require_calibration(build: Build) -> None:
    """Asked as soon as it is known that a model has no scales of its own, before anything else is made.

    Raises:
        InputError: the precision takes calibration data, and there is none.
    """
    request = build.request
    if not build.calibrates or request.samples is not None or request.calibration:
        return
    name = request.ref.name
    where = f"[tool.aipc.models.{name}]" if request.ref.config else "the model's configuration"
    raise InputError(
        f"{build.precision} for {request.soc} needs calibration data, and {name} has none",
        remedy="give calibration=: samples (a DataLoader, a list), or a text (a folder, .npz or file.py:name)"
        if request.ref.kind == "captured"
        else f'give --calibration DIR (images, .npz, .npy or file.py:name), or add calibration = "..." to {where}',
    )
