"""``aipc verify``."""

from __future__ import annotations

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, Package, Target, TimeLimit
from ._work import TIME_LIMIT, working


def command(
    package: Package,
    target: Target = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Run a package on its golden inputs again and compare with PyTorch's outputs.

    The exit status is 1 when they differ by more than the gate allows.
    """
    from aipc import engine

    with working(time_limit, memory_limit) as work:
        report = engine.verify(package, target or "simulator", work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._tables import verify_page

        show(*verify_page(report))
    return 0 if report.ok else 1
