"""Names are not paths, and what is written stays in its project."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.core.errors import StorageError
from aipc.core.names import name_problem, state_path


@pytest.mark.parametrize("name", ["yolo", "größe", "a.b-c", "x" * 120, "console", "com10"])
def test_what_a_model_may_be_called(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (" a", "spaces around"),
        ("a ", "spaces around"),
        ("a/b", "is a path"),
        ("a\\b", "is a path"),
        ("..a", "is a path"),
        ("nul", "Windows"),
        ("Nul.onnx", "Windows"),
        ("lpt1.x.y", "Windows"),
        ("a?", "Windows"),
        ("a.", "Windows"),
        ("a\tb", "cannot be shown"),
        ("x" * 121, "longer than 120"),
        ("ä" * 101, "longer than 120"),
    ],
)
def test_what_a_model_may_not_be_called(name: str, problem: str) -> None:
    assert problem in name_problem(name)


def test_what_is_written_stays_in_the_project(tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    assert state_path(root, "runs", "one") == root / ".aipc" / "runs" / "one"
    with pytest.raises(StorageError, match="leads out"):
        state_path(root, "runs", "..", "x")
    (root / ".aipc").symlink_to(outside)
    with pytest.raises(StorageError, match="leads out"):
        state_path(root, "runs")
