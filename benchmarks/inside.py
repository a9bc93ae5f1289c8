"""One command in a process that already holds warm workers, as the language server does.

``inside.py check|deploy MODEL PACKAGE`` prints the report as the command line would, with ``seconds`` added.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from aipc import engine
from aipc.core.plain_data import to_plain
from aipc.core.workers import WorkerPool


def main(command: str, model: str, package: str) -> int:
    with WorkerPool() as pool:
        pool.warm()
        pool.run("inside:nothing", {})  # returns when the heavy libraries are imported
        started = time.monotonic()
        if command == "check":
            report = engine.check(engine.CheckRequest(model=model), pool)
        else:
            report = engine.deploy(engine.DeployRequest(model=model, out=Path(package)), pool)
        seconds = time.monotonic() - started
    print(json.dumps({**to_plain(report), "seconds": seconds}))
    return 0


def nothing(report: object) -> None:
    """A job that only needs a worker."""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
