"""A small fixed part of ``make test-faults``: the kinds of which hundreds of trials take a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import Kind, Shared, all_kinds, report, run_kind

FAST = [kind for kind in all_kinds() if kind.fixed]


@pytest.mark.parametrize("kind", FAST, ids=[kind.name for kind in FAST])
def test_no_trial_goes_wrong(kind: Kind, tmp_path: Path) -> None:
    figure = run_kind(kind, 0, 0.0, Shared(tmp_path), kind.fixed)
    assert (figure.trials, figure.wrong) == (kind.fixed, [])


def test_a_wrong_trial_is_counted(tmp_path: Path) -> None:
    def trial(random, place, shared):
        if random.random() < 0.5:
            raise ValueError("a defect")
        return "data lost" if random.random() < 0.5 else ""

    figure = run_kind(Kind(name="broken", trial=trial), 0, 0.0, Shared(tmp_path), 40)
    assert 10 < len(figure.wrong) < 40 and any("traceback" in item for item in figure.wrong)
    assert str(len(figure.wrong)) in report({"broken": figure})
