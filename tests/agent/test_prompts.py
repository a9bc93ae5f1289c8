"""What the model is shown: the lines of the problem, wherever they are, under a header that is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aipc.agent.prompts import merged

from .conftest import Run, events
from .models import BRANCH, FILE, MODEL
from .scripted import call

FILLER = "".join(f"VALUE_{number} = {number}\n" for number in range(300))


@pytest.mark.parametrize(
    ("windows", "shown"),
    [
        ([(-5, 10)], [(1, 10)]),
        ([(40, 60), (10, 39)], [(10, 50)]),
        ([(1, 5), (8, 99)], [(1, 5), (8, 50)]),
        ([(60, 70)], []),
    ],
)
def test_windows_of_lines_are_cut_and_joined(windows: list[tuple[int, int]], shown: list[tuple[int, int]]) -> None:
    assert merged(windows, 50) == shown


def test_the_line_of_the_problem_is_shown_far_down_a_file(project: Path, run: Run) -> None:
    text = MODEL.replace("class Model", f"{FILLER}\n\nclass Model")
    (project / FILE).write_text(text, "utf-8")
    report = run(call("give_up", reason="only looking"))
    prompt = next(event for event in events(report) if event["event"] == "request")["messages"][-1]["content"]
    first, last, count = map(int, re.search(r"model\.py, lines (\d+) to (\d+) of (\d+)", prompt).groups())
    assert count == len(text.splitlines())
    assert BRANCH.splitlines()[0] in prompt
    assert f"{first:4}  {text.splitlines()[first - 1]}" in prompt
    assert f"{last:4}  {text.splitlines()[last - 1]}" in prompt
    assert "VALUE_1 =" not in prompt
