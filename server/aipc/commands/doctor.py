"""``aipc doctor``."""

from __future__ import annotations

from ._console import show, write_json
from ._options import Debug, Json


def command(as_json: Json = False, debug: Debug = False) -> int:
    """Say what is installed, which QAIRT it is, what is missing and the command that brings it.

    The exit status is 1 when something that is needed is missing.
    """
    from aipc.doctor import examine

    report = examine()
    if as_json:
        write_json(report)
    else:
        from ._tables import doctor_page

        show(*doctor_page(report))
    return 0 if report.ok else 1
