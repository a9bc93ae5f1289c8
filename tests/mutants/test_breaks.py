"""Every listed break is noticed by the tests nearest to it. ``python -m tests.mutants`` runs them one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .__main__ import survives
from .breaks import BREAKS, Break

PACKAGE = Path(__file__).parents[2] / "server" / "aipc"


@pytest.mark.parametrize("item", BREAKS, ids=lambda item: item.promise)
def test_a_break_is_one_line_of_the_sources(item: Break) -> None:
    assert "\n" not in item.old
    assert (PACKAGE / item.file).read_text("utf-8").count(item.old) == 1
    assert (PACKAGE.parents[1] / item.tests.split()[0]).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("item", BREAKS, ids=lambda item: item.promise)
def test_a_break_is_noticed(item: Break, tmp_path: Path) -> None:
    assert not survives(item, tmp_path)
