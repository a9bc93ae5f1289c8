"""Where only a file is named, its one model is meant; of several the names are listed as they can be typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc import cli
from aipc.engine._run import resolve_ref

HEAD = "from torch import nn\n\n\n"
NET = "class {0}(nn.Module):\n    def forward(self, x):\n        return x\n\n\n"
BLOCK = "class Block(nn.Module):\n    def __init__(self, width): ...\n    def forward(self, x):\n        return x\n"


def named(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What ``aipc check net.py`` says of a file."""
    (folder / "net.py").write_text(text, "utf-8")
    monkeypatch.chdir(folder)
    assert cli.run(["check", "net.py"]) == 2
    return capsys.readouterr().err


def test_the_only_model_of_a_file_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HEAD + BLOCK + "def net():\n    return Block(3)\n", "utf-8")
    assert resolve_ref("net.py", tmp_path)[0].attribute == "net"
    (tmp_path / "pyproject.toml").write_text('[tool.aipc.models.tiny]\nentry = "net.py:net"\n', "utf-8")
    ref, _ = resolve_ref("net.py", tmp_path)
    assert (ref.name, ref.attribute) == ("tiny", "net")
    # From another project its configuration does not hold.
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    (elsewhere / "pyproject.toml").write_text("[tool.aipc]\n", "utf-8")
    assert resolve_ref("../net.py", elsewhere)[0].name == "net"


def test_several_models_are_listed(tmp_path, monkeypatch, capsys):
    message = named(HEAD + NET.format("A") + NET.format("B") + BLOCK, tmp_path, monkeypatch, capsys)
    assert "net.py has 2 models" in message
    assert "net.py:A, net.py:B" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + BLOCK, "no model of net.py can be built without arguments: Block needs width"),
        ("x = 3\n", "net.py declares no model"),
        ("def f(:\n", "syntax error in net.py:1"),
    ],
)
def test_a_file_without_a_model_that_can_be_checked_is_refused(text, words, tmp_path, monkeypatch, capsys):
    assert words in named(text, tmp_path, monkeypatch, capsys)
