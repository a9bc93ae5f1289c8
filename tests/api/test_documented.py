"""The Python examples of the documentation run, as they are written."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Any

import pytest

import aipc

from .conftest import Panorama, image

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r'^```python(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\n")
    return tmp_path


def run_examples(page: str, folder: Path, **names: Any) -> dict[str, Any]:
    """Run the examples of a page in one namespace; those with a title are files."""
    text = (ROOT / page).read_text("utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__", **names}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for match in blocks:
        if match[1]:
            (folder / match[1]).write_text(match[2], "utf-8")
            continue
        # At its lines of the page, so that findings and errors name them.
        code = "\n" * text[: match.start(2)].count("\n") + match[2]
        linecache.cache[page] = (len(code), None, code.splitlines(keepends=True), page)
        exec(compile(code, page, "exec"), namespace)
    return namespace


def test_the_page_on_python(folder: Path) -> None:
    names = run_examples("docs/python.md", folder)
    assert names["report"].placement == {"npu": 2, "cpu": 1, "fails": 0}
    assert names["deployed"].ok and names["quantized"].ok
    assert len(names["outputs"]) == 4
    assert "SQNR of output" in {measure.name for measure in names["comparison"].measures}
    assert "<table>" in names["comparison"]._repr_html_()


def test_the_readme(folder: Path, deployed: tuple[Panorama, aipc.DeployReport]) -> None:
    names = run_examples("README.md", folder, model=deployed[0], example_inputs=image())
    assert names["outputs"].shape == (1, 4, 12, 12)


@pytest.mark.slow
def test_the_first_tutorial(folder: Path) -> None:
    text = (ROOT / "docs/tutorials/first-deploy.md").read_text("utf-8")
    title, source = BLOCK.findall(text)[0]
    (folder / title).write_text(source)
    assert aipc.deploy("model.py:Net", soc="sm8650").ok
    assert run_examples("docs/tutorials/first-deploy.md", folder)["package"].precision == "fp16"
