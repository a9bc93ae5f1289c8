"""Every rule that a finding can carry has its page."""

from __future__ import annotations

import re
from pathlib import Path

import aipc
from aipc.core.rules import RULES

SOURCES = Path(aipc.__file__).parent
CODES = re.compile(r'"((?:capture|cannot|wrong|diverges|fp16-|runs-on|does-not-compile)[a-z0-9-]*)"')
PLACES = ("capture/failures.py", "pipeline/findings.py", "lsp/checks.py", "qairt/explain.py")


def test_every_code_in_the_sources_has_a_page() -> None:
    page = (SOURCES.parents[1] / "docs" / "reference" / "rules.md").read_text("utf-8")
    used = {code for name in PLACES for code in CODES.findall((SOURCES / name).read_text("utf-8"))}
    assert {"wrong-numbers", "capture-failed", "cannot-check", "runs-on-cpu"} <= used
    assert not {code for code in used if f"## {code}\n" not in page}


def test_codes_are_unique_and_say_what_to_do() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert all(rule.meaning.endswith(".") and rule.remedy.endswith(".") for rule in RULES)
