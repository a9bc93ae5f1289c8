"""The frontier and the blame, in the HTML report and in the terminal, from data as a search gives it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.console import Console

from aipc.commands._precision import blame_lines, frontier_lines
from aipc.core.accuracy import NodeAccuracy, NodeError
from aipc.core.frontier import Frontier, Tried
from aipc.core.plain_data import dumps, loads
from aipc.report.frontier import blame_section, frontier_section

TRIED = (
    Tried("w8a8", "8-bit activations", False, 71_068, 47_104, None, 1.8, 0.5, "sqnr_db 1.8, wanted 15"),
    Tried(
        "w8a8+2 higher", "the worst layer in 16 bits", True, 75_150, 49_152, None, 31.7, 1.0, higher=("conv", "relu")
    ),
    Tried("w8a16", "16-bit activations", True, 75_151, 57_344, None, 34.1, 1.0),
    Tried("fp16", "half <precision>", False, detail="QAIRT could not compile it"),
)
FRONTIER = Frontier(TRIED, "w8a8+2 higher", threshold_db=15.0, metric_name="agreement", metric_threshold=0.9)
ERROR = NodeError(
    31.8, None, 0.999, 32.5, 60.0, 1.7, 0.94, ("conv", "relu"), 271.0, 3, "Conv", "/src/model.py", 40, "energy"
)
ACCURACY = NodeAccuracy({"relu": ERROR}, True, {}, ("conv",))


def printed(lines) -> str:
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        for line in lines:
            console.print(line)
    return capture.get()


def test_the_plot_has_a_point_for_each_candidate_with_figures_and_the_gate() -> None:
    page = frontier_section(FRONTIER)
    plot = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.S)[0])
    circles = plot.findall("circle")
    assert [circle.get("class") for circle in circles] == ["", "chosen ok", "ok"]
    xs = [float(circle.get("cx")) for circle in circles]
    ys = [float(circle.get("cy")) for circle in circles]
    assert xs == sorted(xs), "more traffic is farther right"
    assert ys == sorted(ys, reverse=True), "more SQNR is higher up"
    assert "gate 15 dB" in page
    assert "half &lt;precision&gt;" in page
    assert "could not compile" in page
    assert page.count("<tr") == 5


def test_one_candidate_makes_a_table_and_no_plot() -> None:
    page = frontier_section(Frontier(TRIED[:1], None))
    assert "<svg" not in page
    assert "none passed" in page


def test_the_terminal_shows_what_was_taken_and_why_the_others_were_not() -> None:
    text = printed(frontier_lines(FRONTIER))
    assert re.search(r"→ +w8a8\+2 higher +0\.075\d +0\.0492 +31\.7 +1 +passed", text)
    assert "half <precision>: QAIRT could not compile it" in text
    assert "w8a8+2 higher is the cheapest of what was asked for that passed: by planned DDR traffic" in text
    assert "no precision passed" in printed(frontier_lines(replace(FRONTIER, chosen=None)))


def test_the_blame_names_line_share_and_what_could_not_be_read() -> None:
    for text in (printed(blame_lines(ACCURACY)), blame_section(ACCURACY)):
        assert "model.py:40" in text
        assert "energy" in text
        assert "94 %" in text
        assert re.search("equal,? bit for bit", text)
        assert "1 nodes are fused" in text
    changed = printed(blame_lines(replace(ACCURACY, unchanged=False)))
    assert "READING CHANGED THE OUTPUTS" in changed
    assert "slightly other graph" in blame_section(replace(ACCURACY, unchanged=False))


@pytest.mark.parametrize("value", [FRONTIER, ACCURACY, NodeAccuracy({"a": NodeError(math.inf)})])
def test_both_survive_json(value: object) -> None:
    assert loads(dumps(value), type(value)) == value
