"""``aipc targets``."""

from __future__ import annotations

from ._console import show, write_json
from ._options import Debug, Json


def command(as_json: Json = False, debug: Debug = False) -> int:
    """List where packages can run, and the SoCs that QAIRT compiles for."""
    from aipc import engine
    from aipc.qairt.soc import all_socs

    if as_json:
        write_json(engine.targets_document())
    else:
        from ._tables import targets_page

        show(*targets_page(engine.targets(), all_socs()))
    return 0
