"""``judge``: somebody's edit is held against the original by the agent's gates, and nothing is written."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from aipc import engine
from aipc.agent.edit_files import read_edits
from aipc.agent.verdicts import Agreement, JudgeReport
from aipc.core.errors import InputError
from aipc.core.workers import WorkerPool

from .models import FILE

TEXT = """\
import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        y = x * 2
        return torch.relu(y)

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 2, 4, 4) - 0.5,)
"""
RIGHT = TEXT.replace("x * 2", "x + x")
WRONG = TEXT.replace("torch.relu(y)", "y.abs()")
NEAR = TEXT.replace("x * 2", "x * 2.01")


@pytest.fixture
def model(project: Path) -> Path:
    (project / FILE).write_text(TEXT, "utf-8")
    return project / FILE


def diff(before: str, after: str) -> str:
    return "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{FILE}", f"b/{FILE}"))


def judge(file: Path, text: str, pool: WorkerPool, **options: Any) -> JudgeReport:
    edits = file.parent / "change.diff"
    edits.write_text(text, "utf-8")
    return engine.judge(engine.JudgeRequest(f"{FILE}:Model", edits, cwd=file.parent, **options), pool)


def test_a_right_edit_passes_every_gate_and_is_not_written(model: Path, pool: WorkerPool) -> None:
    report = judge(model, diff(TEXT, RIGHT), pool)
    assert report.ok, report.verdict.failed
    assert {"equal", "proof", "simulator"} <= {gate.name for gate in report.verdict.gates}
    assert report.verdict.gates[-1].name == "ordinary process"
    assert report.verdict.gates[-1].words.startswith("the same answers")
    assert model.read_text("utf-8") == TEXT


def test_the_text_before_a_change_that_the_file_already_has_is_the_original(model: Path) -> None:
    model.write_text(WRONG, "utf-8")
    edits = model.parent / "change.diff"
    edits.write_text(diff(TEXT, WRONG), "utf-8")
    proposed = read_edits(edits, model.parent)
    assert proposed.original == {str(model): TEXT}
    assert [(edit.old, edit.new) for edit in proposed.edits] == [(TEXT, WRONG)]


@pytest.mark.slow
def test_a_change_that_the_file_already_has_is_judged_against_what_it_was(model: Path, pool: WorkerPool) -> None:
    model.write_text(WRONG, "utf-8")
    report = judge(model, diff(TEXT, WRONG), pool)
    assert not report.ok
    assert report.verdict.failed is not None
    assert report.verdict.failed.name == "equal"
    assert model.read_text("utf-8") == WRONG


@pytest.mark.slow
def test_an_approximate_change_takes_the_users_word(model: Path, pool: WorkerPool) -> None:
    refused = judge(model, diff(TEXT, NEAR), pool)
    assert refused.verdict.failed is not None
    assert "needs the user's word" in refused.verdict.failed.words
    assert judge(model, diff(TEXT, NEAR), pool, agree=(Agreement.APPROXIMATE,)).ok
    assert not judge(model, diff(TEXT, NEAR), pool, agree=(Agreement.SPECIALIZED,)).ok


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no changes"),
        ("{", "no JSON"),
        ("{}", "no list of edits"),
        ('[{"file": "model.py"}]', "edit 1 lacks"),
        (diff(TEXT.replace("x * 2", "x * 3"), RIGHT), "does not fit"),
        (diff(TEXT, RIGHT).replace(FILE, "../outside.py"), "leaves the project"),
        (diff("", TEXT).replace(f"a/{FILE}", "/dev/null"), "added, removed or renamed"),
    ],
)
def test_what_is_no_edit_is_refused_in_a_sentence(model: Path, text: str, words: str) -> None:
    edits = model.parent / "change"
    edits.write_text(text, "utf-8")
    with pytest.raises(InputError, match=words):
        read_edits(edits, model.parent)


def test_line_ends_and_places_of_a_diff_are_kept(model: Path) -> None:
    windows = TEXT.replace("\n", "\r\n")
    model.write_bytes(windows.encode())
    edits = model.parent / "change.diff"
    edits.write_text(diff(TEXT, "# first\n" + RIGHT + "# last\n"), "utf-8")
    (edit,) = read_edits(edits, model.parent).edits
    assert edit.new == "# first\r\n" + windows.replace("x * 2", "x + x") + "# last\r\n"


def test_replacements_as_json_are_read(model: Path) -> None:
    edits = model.parent / "change.json"
    edits.write_text(json.dumps({"edits": [{"file": FILE, "old": "x * 2", "new": "x + x"}]}), "utf-8")
    (edit,) = read_edits(edits, model.parent).edits
    assert (edit.file, edit.old, edit.new) == (FILE, "x * 2", "x + x")
