"""Two deployments side by side: what counts as worse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aipc.core.types import DeployReport, Finding, OutputAccuracy, Severity
from aipc.report.comparison import Trend, compare_reports, markdown


def output(db: float) -> OutputAccuracy:
    return OutputAccuracy("logits", 1.0, db, 0.1, 0.1)


BASE = DeployReport(
    "net",
    "sm8650",
    "w8a8",
    "simulator",
    True,
    (),
    "package",
    {"npu": 10, "cpu": 0, "fails": 0},
    {"outputs": (output(40.0),)},
    None,
    {},
    compiled={"bytes": 1_000_000, "read_bytes": 5_000_000},
    metric={"top-1": 0.8},
)


@pytest.mark.parametrize(
    ("change", "worse"),
    [
        ({}, []),
        ({"placement": {"npu": 9, "cpu": 1, "fails": 0}}, ["nodes on the CPU"]),
        ({"accuracy": {"outputs": (output(39.95),)}}, []),
        ({"accuracy": {"outputs": (output(39.8),)}}, ["SQNR of logits"]),
        ({"accuracy": {"outputs": (output(float("nan")),)}}, ["SQNR of logits"]),
        ({"accuracy": {"outputs": (output(float("inf")),)}}, []),
        ({"compiled": {"bytes": 1_009_000, "read_bytes": 5_000_000}}, []),
        ({"compiled": {"bytes": 1_011_000, "read_bytes": 5_100_000}}, ["context binary", "DDR reads planned"]),
        ({"compiled": None}, []),
        ({"metric": {"top-1": 0.79}}, ["top-1"]),
        ({"ok": False}, ["gates passed"]),
        ({"findings": (Finding("x", Severity.WARNING, "w", None),)}, ["findings: warning"]),
    ],
)
def test_what_got_worse(change: dict[str, Any], worse: list[str]) -> None:
    comparison = compare_reports(BASE, replace(BASE, **change))
    assert [item.name for item in comparison.measures if item.trend is Trend.WORSE] == worse
    assert comparison.ok is (not worse)


def test_the_other_way_round_it_got_better() -> None:
    after = replace(BASE, placement={"npu": 9, "cpu": 1, "fails": 0}, accuracy={"outputs": (output(30.0),)})
    comparison = compare_reports(after, BASE)
    assert comparison.ok
    assert [item.name for item in comparison.measures if item.trend is Trend.BETTER] == [
        "nodes on the CPU",
        "SQNR of logits",
    ]


def test_markdown_is_a_table_and_no_text_is_markup() -> None:
    finding = Finding("x", Severity.WARNING, "<img src=x> a | b\n# c", None)
    text = markdown(compare_reports(BASE, replace(BASE, model="a|b", findings=(finding,))))
    assert text.startswith("### AIPC: a\\|b: 1 worse: findings: warning\n")
    assert "| SQNR of logits | 40.00 dB | 40.00 dB |  |" in text
    assert "- \\[x\\] &lt;img src=x&gt; a \\| b \\# c" in text
