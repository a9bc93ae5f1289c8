"""The notebook of the documentation, executed by a real Jupyter kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "first-deploy.ipynb"


@pytest.mark.slow
def test_the_notebook_runs_and_shows_findings_on_the_lines_of_its_cell(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\n")
    notebook = nbformat.read(NOTEBOOK, 4)
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    check, deployed, compared = (cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.outputs)
    html = check[0]["data"]["text/html"]
    assert '<mark class="information">F.pad(features, (1, 1, 1, 1), mode=&#34;circular&#34;)</mark>' in html
    assert "cell, line 15" in html
    assert "verified" in deployed[-1]["data"]["text/html"]
    assert "tensor(" in compared[-1]["text"]
