from __future__ import annotations

from collections.abc import Iterator

import pytest

from aipc.core.workers import WorkerPool


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool() as workers:
        yield workers
