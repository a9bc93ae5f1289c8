"""Every message of the product is written in one style, and all of them can be read on one page."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_UNITS = re.compile(r"_(db|seconds|ms|share)$")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "messages.py"))


@pytest.fixture(scope="module")
def every(script: dict[str, Any]) -> list[Any]:
    messages: list[Any] = script["messages"]()
    return messages


def test_the_page_has_messages_of_every_kind(script: dict[str, Any]) -> None:
    page = script["page"]()
    assert re.findall(r"^## ([A-Za-z ]+) \((\d{2,})\)$", page, re.M)
    assert [title for title, _ in re.findall(r"^## ([A-Za-z ]+) \((\d{2,})\)$", page, re.M)] == [
        "Errors",
        "Findings",
        "Gates",
        "In the editor",
    ]
    assert "There is no ONNX file {path}. Check the path." in page
    assert "Einsum with the equation {0} has no NPU operator and runs on the CPU." in page


def test_errors_and_their_remedies_are_clauses_that_front_doors_join(every: list[Any]) -> None:
    wrong = [
        f"{item.place}: {item.text} | {item.remedy}"
        for item in every
        if item.kind == "error"
        and (item.text.endswith(".") or item.remedy.endswith(".") or re.match(r"[A-Z][a-z]+ (?!comes)", item.remedy))
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_shown_are_sentences(every: list[Any]) -> None:
    wrong = [
        f"{item.place}: {item.shown}"
        for item in every
        if (item.kind in {"error", "finding"} and re.match(r"[a-z]{2,} (?<!forward )", item.shown))
        or re.search(r"\(s\)|\bi\.e\.|\be\.g\.| !|  ", item.shown)
    ]
    assert not wrong, "\n".join(wrong)


def test_figures_with_a_unit_have_a_number_of_digits() -> None:
    wrong = []
    for file in sorted((ROOT / "server" / "aipc").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FormattedValue) and node.format_spec is None and _UNITS.search(_name(node.value)):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node.value)}")
    assert not wrong, "\n".join(wrong)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
