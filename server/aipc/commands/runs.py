"""``aipc runs``."""

from __future__ import annotations

from pathlib import Path

from ._console import show, write_json
from ._options import Debug, Json


def command(as_json: Json = False, debug: Debug = False) -> int:
    """List the deployments of this project, the newest first: what passed, what failed and at which gate."""
    from aipc import engine

    records = engine.runs(Path.cwd())
    if as_json:
        write_json({"runs": records})
        return 0
    from ._format import table_of

    if not records:
        show("no model of this project has been deployed yet; `aipc deploy MODEL` does it")
        return 0
    table = table_of("run", "model", "SoC", "precision", "target", "state", "seconds", "what stopped it")
    for run in records:
        cells = (Path(run.directory).name, run.model, run.soc, run.precision, run.target, run.state)
        table.add_row(*cells, f"{run.seconds:.1f}", run.message)
    show(table)
    return 0
