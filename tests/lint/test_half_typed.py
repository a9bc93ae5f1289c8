"""Text that is not Python at the moment costs nothing but the statement that it stands in."""

from __future__ import annotations

import random

import pytest

from aipc.lint import lint

from .marks import FIXTURES

MODEL = """\
import torch
import torch.nn.functional as F
from torch import nn


class First(nn.Module):
    def forward(self, x):
        y = F.pad(x, (1, 1, 1, 1), mode="circular")
        return torch.relu(y)


class Second(nn.Module):
    def forward(self, x):
        return torch.cosh(x) + 2
"""
BOTH = [(8, "pad-mode"), (14, "unsupported-operator")]


def found(text, path="half.py"):
    return [(item.range.start.line, item.rule) for item in lint(text, path, "sm8650")]


def test_whole():
    assert found(MODEL) == BOTH


@pytest.mark.parametrize(
    "typed",
    [
        "        z = torch.relu(\n",
        "        if x.\n",
        "        self.\n",
        "        return F.pad(y, (1,\n",
        "        for i in\n",
    ],
)
def test_a_broken_line_costs_only_itself(typed):
    text = MODEL.replace("        return torch.relu(y)\n", f"{typed}        return torch.relu(y)\n", 1)
    assert (14 + 1, "unsupported-operator") in found(text, "never seen.py")
    assert found(text, "never seen.py")[0] == BOTH[0]


def test_what_a_broken_line_may_have_bound_is_unknown():
    text = MODEL.replace("        y = F.pad", "        mode = \n        y = F.pad").replace('"circular"', "mode")
    text = text.replace("    def forward(self, x):\n", '    def forward(self, x):\n        mode = "circular"\n', 1)
    assert [rule for _, rule in found(text, "other.py")] == ["unsupported-operator"]


def test_a_header_that_is_being_typed_keeps_what_was_said():
    assert found(MODEL, "header.py") == BOTH
    assert found(MODEL.replace("def forward(self, x):", "def forward(self, x", 1), "header.py") == BOTH
    assert found(MODEL.replace("def forward(self, x):", "def forward(self, x", 1), "unseen.py") == BOTH[1:]


def test_strings_and_brackets_at_the_margin_do_not_end_a_statement():
    text = 'NOTE = """\nclass Not:\n"""\n' + MODEL.replace("F.pad(x, (1, 1, 1, 1),", "F.pad(x, (\n1, 1, 1, 1\n),")
    assert [rule for _, rule in found(text, "margin.py")] == [rule for _, rule in BOTH]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_ever_raised(seed, caplog):
    chosen = random.Random(seed)
    for path in FIXTURES.glob("*.py"):
        text = path.read_text("utf-8")
        for _ in range(25):
            start = chosen.randrange(len(text))
            broken = (
                text[:start]
                + chosen.choice(("", "(", '"""', "\n", "é\ud83d", "\x00", "\t"))
                + text[start + chosen.randrange(9) :]
            )
            lint(broken, str(path), "sm8650")
            lint(text[:start], str(path), "sm8650")
    assert not caplog.records


def test_an_edit_gives_what_a_fresh_start_gives(monkeypatch):
    from aipc.lint import check

    text = (FIXTURES / "found.py").read_text("utf-8")
    edits = [
        text.replace('EQUATION = "bmchw,bnmc->bmhwn"', 'EQUATION = "bij,bjk->bik"'),
        text.replace("from torch.nn import MaxPool3d", "from somewhere import MaxPool3d"),
        text.replace("return torch.cosh(x) * math.pi", "return torch.cos(x) * math.pi"),
        text + "\n\nclass More(Pool):\n    def __init__(self):\n        super().__init__()\n        self.pool = None\n",
        text + "\n\nmodel = Pool()\nmodel.pool = nn.MaxPool2d(2)\n",
        text,
    ]
    for edit in edits:
        kept = lint(edit, "edit.py", "sm8650")
        monkeypatch.setattr(check, "_memory", check.Memory())
        assert kept == lint(edit, "edit.py", "sm8650")
        monkeypatch.undo()
    counts = [len(lint(edit, "edit.py", "sm8650")) for edit in edits]
    assert max(counts[:3]) < counts[-1] and counts[4] < counts[-1], counts


def test_findings_follow_a_line_typed_above_them_and_taken_back():
    for _ in range(2):
        assert found(MODEL) == BOTH
        assert found(f"import math\n{MODEL}") == [(line + 1, rule) for line, rule in BOTH]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_move_nothing(end):
    assert found(MODEL.replace("\n", end)) == BOTH


def test_a_form_feed_is_not_the_end_of_a_line():
    assert found(MODEL.replace("class Second", "\x0cclass Second")) == BOTH
