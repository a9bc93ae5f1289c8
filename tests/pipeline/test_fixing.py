"""Fixes of the source: offered when compiler, simulator and PyTorch agree on this model, and else not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aipc import engine, fix
from aipc.core.errors import InputError
from aipc.core.types import Fix, Position, Range, Severity
from aipc.core.workers import WorkerPool

MODEL = """\
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        y = F.celu(self.conv(x), 1.5)  # größe
        z = torch.einsum("bchw,bdhw->bcd", y, torch.relu(y))
        return F.pad(z, (1, 2), mode="circular")

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 12, 12),)
"""
PADDED = 'F.pad(z, (1, 2), mode="circular")'


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, pool: WorkerPool):
    folder = tmp_path_factory.mktemp("fixing")
    (folder / "pyproject.toml").write_text("[tool.aipc]\nsoc = 'sm8650'\n", "utf-8")
    (folder / "model.py").write_text(MODEL, "utf-8")
    request = engine.CheckRequest("model.py:Net", cwd=folder)
    return folder, request, engine.check(request, pool)


def on_padding(folder: Path, title: str, text: str, column: int = 15) -> Fix:
    """A fix that puts ``text`` in the place of the padding."""
    start = Position(14, column)
    place = Range(str(folder / "model.py"), start, Position(14, column + len(PADDED)))
    return Fix(title, "pad-circular", edits=((place, text),))


def offering(checked, fix_: Fix):
    """The check's report as if its padding's finding proposed this fix."""
    _, request, report = checked
    (finding,) = (item for item in report.findings if item.rule == "pad-mode")
    return request, replace(report, findings=(replace(finding, fixes=(fix_,)),))


def test_what_rules_propose_is_proved_on_the_model(checked, pool):
    _, request, report = checked
    proved = fix.prove_fixes(request, report, pool)
    assert not proved.rejected
    edits = {item.rule: [one for one in item.fixes if one.edits] for item in proved.findings}
    assert {rule: len(found) for rule, found in edits.items()} == {
        "unsupported-operator": 1,
        "einsum": 1,
        "pad-mode": 1,
    }
    for found in edits.values():
        assert found[0].proved
        assert found[0].proof.startswith("compiles for sm8650, max error ")
        assert found[0].evidence["max_abs"] < 1e-4
        assert found[0].evidence["simulator_sqnr_db"] > 40
    (together,) = proved.together
    assert (together.count, together.scope, together.fix.proved) == (3, "", True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('F.pad(z, (1, 2), mode="constant")', "equal on true inputs"),
        ("torch.cat([z[..., -1:], z, z[..., :2]], dim=-1) * 1.001", "equal on true inputs"),
        ('F.pad(z, (1, 2), mode="circular") + 0', "still has nodes off the NPU"),
        ("z[..., :", "cannot be captured"),
        ("F.pad(z, (1, 1))", "instead of"),
        ("no_such_name(z)", "captured"),
    ],
    ids=["other numbers", "nearly right", "finding stays", "no Python", "other shape", "raises"],
)
def test_an_edit_that_does_not_hold_is_not_offered_and_says_why(checked, pool, text, why):
    request, report = offering(checked, on_padding(checked[0], "wrong", text))
    proved = fix.prove_fixes(request, report, pool)
    (rejected,) = proved.rejected
    assert why in rejected.why
    assert not proved.findings[0].fixes


def test_a_library_is_not_edited(checked, pool, tmp_path):
    edit = Fix(
        "elsewhere", "pad-circular", edits=((Range(str(tmp_path / "x.py"), Position(1, 0), Position(1, 0)), ""),)
    )
    request, report = offering(checked, edit)
    (rejected,) = fix.prove_fixes(request, report, pool).rejected
    assert "not the project's" in rejected.why


def test_the_source_is_fixed_with_its_comments_and_line_ends(tmp_path, pool):
    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\nsoc = 'sm8650'\n", "utf-8")
    path = tmp_path / "model.py"
    path.write_bytes(MODEL.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    asked = fix.FixRequest("model.py:Net", cwd=tmp_path)
    shown = fix.fix(asked, pool)
    assert path.read_bytes() == MODEL.replace("\n", "\r\n").encode()
    assert len(shown.fixes) == 3
    assert not shown.applied
    assert shown.diffs[str(path)].startswith("--- a/model.py\n+++ b/model.py\n")
    done = fix.fix(replace(asked, apply=True), pool)
    text = path.read_bytes().decode()
    assert done.applied
    assert "# größe" in text
    assert text.count("\r\n") == text.count("\n") == MODEL.count("\n")
    assert path.stat().st_mode & 0o777 == 0o640
    assert not [item for item in done.left if item.severity is not Severity.INFORMATION]
    again = fix.fix(replace(asked, apply=True), pool)
    assert not again.fixes
    assert not again.applied


def test_a_file_that_somebody_else_changed_is_left_alone(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("a = 2\n", "utf-8")
    with pytest.raises(InputError, match="has changed since"):
        fix._write(path, "a = 1\n", "a = 3\n")
    assert path.read_text("utf-8") == "a = 2\n"
    assert [item.name for item in tmp_path.iterdir()] == ["model.py"]


def test_the_command_prints_one_json_document(tmp_path, monkeypatch, capfd):
    from aipc.cli import run

    (tmp_path / "model.py").write_text(MODEL, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["fix", "model.py:Net", "--soc", "sm8650", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert [item["fix"]["rule"] for item in said["fixes"]] == ["celu", "einsum", "pad-circular"]
    assert "+        return torch.cat" in said["diffs"][str(tmp_path / "model.py")]


def test_a_comment_of_the_authors_hides_a_finding_and_is_counted(checked, pool):
    folder, request, report = checked
    ignored = MODEL.replace(PADDED, f"{PADDED}  # aipc: ignore[pad-mode]")
    file = str(folder / "model.py")
    shown = engine.check(replace(request, unsaved={file: ignored}), pool)
    assert shown.ignored == 1
    assert [item.rule for item in shown.findings] == [item.rule for item in report.findings if item.rule != "pad-mode"]
