"""Example inputs are remembered under a name of the model's own; what the author wrote stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc import engine
from aipc.core.config import load_config

MODEL = "from torch import nn\n\n\nclass Net(nn.Module):\n    pass\n"
AUTHORS = '[tool.aipc.models.Net]  # mine\nentry = "./a.py:Net"\ninputs = { x = "float32[1,3,8,8]" }\n'
NEW = {"x": "float32[1,4]"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(MODEL)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.py").write_text(MODEL)
    (tmp_path / "pyproject.toml").write_text(AUTHORS)
    return tmp_path


def test_a_name_that_belongs_to_another_model_gets_a_new_key(project):
    kept = engine.configure("b.py:Net", NEW, cwd=project)
    assert (kept.name, kept.replaces) == ("b_Net", "")
    assert engine.configure("sub/b.py:Net", NEW, cwd=project).name == "b_Net_2"
    assert (project / "pyproject.toml").read_text().startswith(AUTHORS)
    models = load_config(project).models
    assert {name: model.entry for name, model in models.items()} == {
        "Net": "./a.py:Net",
        "b_Net": "b.py:Net",
        "b_Net_2": "sub/b.py:Net",
    }
    assert engine.configure("b.py:Net", {"x": "int64[1]"}, cwd=project, replace=True).name == "b_Net"
    assert load_config(project).models["b_Net"].inputs == {"x": "int64[1]"}


@pytest.mark.parametrize("named", ["a.py:Net", "Net"])
def test_inputs_of_the_authors_are_shown_and_left_until_it_is_agreed(project, named):
    kept = engine.configure(named, NEW, cwd=project)
    assert (kept.name, kept.replaces) == ("Net", '{x = "float32[1,3,8,8]"}')
    assert (project / "pyproject.toml").read_text() == AUTHORS
    assert engine.configure(named, NEW, cwd=project, replace=True).replaces == ""
    text = (project / "pyproject.toml").read_text()
    assert "# mine" in text
    assert 'entry = "./a.py:Net"' in text
    assert load_config(project).models["Net"].inputs == NEW
