"""``[tool.aipc.apps.NAME]``."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.core.config import load_config, resolve_model
from aipc.core.errors import ConfigError, ModelLoadError


def configured(folder: Path, text: str):
    (folder / "pyproject.toml").write_text("[tool.aipc]\n" + text, "utf-8")
    return load_config(folder)


def test_an_application_is_read_with_its_defaults(tmp_path: Path) -> None:
    config = configured(tmp_path, '[tool.aipc.apps.a]\nentry = "m.py:f"\nsamples = ["x"]\noptions = { seconds = 5 }')
    app = config.apps["a"]
    assert (app.entry, app.samples, app.options, app.precision) == ("m.py:f", ("x",), {"seconds": 5}, "fp16")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('apps = "x"', "tool.aipc.apps .* is not a table"),
        ("[tool.aipc.apps.a]\nsoc = 'sm8650'", "has no entry"),
        ("[tool.aipc.apps.a]\nentry = 'm.py:f'\nseconds = 3", "unknown key 'seconds' — known are entry"),
        ("[tool.aipc.apps.a]\nentry = 3", "entry of .* has the wrong type"),
        (
            "[tool.aipc.apps.a]\nentry = 'm.py:f'\noptions = { a = true }",
            "options of .* is not a table of whole numbers",
        ),
        ("[tool.aipc.apps.a]\nentry = 'm.py:f'\nsamples = [1]", "samples of .* is not a list of strings"),
        ("[tool.aipc.apps.a]\nentry = 'm.py:f'\ngraphs = { e = 3 }", "graphs.e of .* is not a tolerance"),
        ("[tool.aipc.apps.'a.b']\nentry = 'm.py:f'", "a dot in its name"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        configured(tmp_path, text)


def test_a_graph_is_not_known_before_there_is_a_plan(tmp_path: Path) -> None:
    config = configured(tmp_path, '[tool.aipc.apps.a]\nentry = "m.py:f"')
    with pytest.raises(ModelLoadError, match="the graphs of the application a are not known yet — run aipc check a"):
        resolve_model("a.encoder", tmp_path, config)
