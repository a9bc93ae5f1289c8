"""The generated reference is up to date and covers what there is."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "generate_docs.py"))


@pytest.mark.parametrize("page", ["socs.md", "commands.md", "config.md", "rules.md", "operators.md", "rewrites.md"])
def test_page_is_up_to_date(generator: dict[str, Any], page: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text("utf-8")
    assert written == generator["PAGES"][page](), "run make docs"


def test_every_command_is_documented(generator: dict[str, Any]) -> None:
    from aipc.commands import discover

    text = generator["commands"]()
    assert [name for name in discover() if f"\n## {name}\n" not in text] == []


def test_every_soc_is_documented(generator: dict[str, Any]) -> None:
    from aipc.qairt.soc import all_socs

    text = generator["socs"]()
    assert [soc.part for soc in all_socs() if f"| {soc.part} |" not in text] == []
