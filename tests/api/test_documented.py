"""The Python examples of the documentation run, as they are written."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["docs/python.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\n")
    text = (ROOT / page).read_text("utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for match in blocks:
        # At its lines of the page, so that findings and errors name them.
        code = "\n" * text[: match.start(1)].count("\n") + match[1]
        linecache.cache[page] = (len(code), None, code.splitlines(keepends=True), page)
        exec(compile(code, page, "exec"), namespace)
    if page == "docs/python.md":
        assert namespace["report"].placement == {"npu": 2, "cpu": 1, "fails": 0}
        assert namespace["deployed"].ok and namespace["quantized"].ok
        assert len(namespace["outputs"]) == 4
        assert "SQNR of output" in {measure.name for measure in namespace["comparison"].measures}
        assert "<table>" in namespace["comparison"]._repr_html_()
