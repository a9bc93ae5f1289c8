"""What every test leaves as it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def the_import_path() -> Iterator[None]:
    """Loading a model puts its folders first on the import path, which workers inherit and the sandbox opens."""
    before = list(sys.path)
    yield
    sys.path[:] = before
