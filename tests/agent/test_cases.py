"""Every broken model comes to its verdict by its recorded replies, without any language model."""

from __future__ import annotations

import pytest

from aipc import engine
from aipc.agent.verdicts import Budget

from .cases import Case, all_cases
from .conftest import events

QUICK = {"branch_on_sum", "missing_inputs", "no_way_out"}


def test_there_are_at_least_fifteen():
    assert len(all_cases()) >= 15


@pytest.mark.parametrize(
    "case",
    [pytest.param(item, marks=() if item.name in QUICK else pytest.mark.slow, id=item.name) for item in all_cases()],
)
def test_a_case_replays_to_its_verdict(case: Case, tmp_path, pool):
    source = (case.trajectory.parent / "model.py").read_text("utf-8")
    report = engine.agent(case.request(tmp_path / "project", budget=Budget(tokens=10**7), replay=True), pool)
    assert report.stopped.value == case.expect, (report.words, report.learned)
    assert (tmp_path / "project" / "model.py").read_text("utf-8") == source
    first = next(item for item in events(report) if item["event"] == "step")
    assert case.begins in first["words"]
    if case.expect != "solved":
        assert not report.edits
        return
    assert report.verdicts[-1].ok
    assert report.edits
    assert not report.left
