"""Read sweeps that were made, and compare them."""

from __future__ import annotations

from pathlib import Path

from cattrs import BaseValidationError

from aipc.core import plain_data
from aipc.core.config import load_config
from aipc.core.errors import InputError
from aipc.core.sweeps import SweepReport

from .store import RESULT


def read_sweep(place: str | Path, cwd: Path | None = None) -> SweepReport:
    """The document of a sweep: its directory, its result.json, or the name of a sweep of this project.

    Raises:
        InputError: there is none that can be read.
    """
    where = (cwd or Path.cwd()).resolve()
    path = where / Path(place).expanduser()
    if not path.exists():
        path = load_config(where).root / ".aipc" / "sweeps" / str(place)
    if path.is_dir():
        path = path / RESULT
    try:
        return plain_data.loads(path.read_text("utf-8"), SweepReport)
    except FileNotFoundError:
        raise InputError(f"{place} has no sweep", remedy="give the directory or the result.json of one") from None
    except (OSError, ValueError, BaseValidationError) as error:
        raise InputError(
            f"{path} is no sweep of this version of AIPC", remedy="run the sweep again", detail=str(error)
        ) from error
