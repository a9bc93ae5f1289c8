"""The benchmark's own parts: its table, its place in a page, its measuring."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_a_row_says_the_ratio_to_the_bare_minimum() -> None:
    from table import Row, markdown

    row = Row("yolov8n", "deploy", "warm", 20.0, 900.4, 0, {"capture": 2.0, "tiny": 0.001}, bare_seconds=10.0)
    assert "| yolov8n | deploy | warm | 20.00 | 2.00 | 900 | capture 2.00 |" in markdown([row])


def test_a_measurement_that_was_given_up_says_so() -> None:
    from table import Row, markdown

    assert "gave up at 600" in markdown([Row("c", "check", "cold", 600.1, 1, None, {})])


def test_only_the_part_between_the_markers_is_rewritten(tmp_path: Path) -> None:
    from table import update

    page = tmp_path / "README.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    update(page, "new")
    assert page.read_text("utf-8") == "before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    from table import update

    page = tmp_path / "README.md"
    page.write_text("nothing here", encoding="utf-8")
    with pytest.raises(ValueError, match="has no"):
        update(page, "new")
    assert page.read_text("utf-8") == "nothing here"


def test_memory_of_children_counts(tmp_path: Path) -> None:
    from measure import measure

    child = "import time; hold = bytearray(120_000_000); time.sleep(0.6)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    run = measure([sys.executable, "-c", parent], tmp_path, os.environ)
    assert run.status == 0
    assert run.peak_mb > 120
    assert run.seconds > 0.6


def test_the_limit_ends_the_whole_tree(tmp_path: Path) -> None:
    from measure import measure

    sleeper = "import time; time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeper!r}])"
    run = measure([sys.executable, "-c", parent], tmp_path, os.environ, limit=1)
    assert run.status is None
    assert run.seconds < 20


def test_configuration_names_every_case(tmp_path: Path) -> None:
    from cases import CASES, write_configuration

    from aipc.core.config import load_config, resolve_model

    write_configuration(tmp_path, CASES)
    config = load_config(tmp_path)
    for case in CASES:
        reference = resolve_model(case.name, tmp_path, config)
        assert (reference.path, reference.attribute) == (case.entry, case.factory)
