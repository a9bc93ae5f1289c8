"""Whatever is wrong with the input: exit status 2, one sentence on stderr, no traceback, no debris."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .command import Finished, aipc

GOOD = """
import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
        return torch.relu(x)

    @staticmethod
    def example_inputs():
        return (torch.randn(1, 4),)
"""


def says(finished: Finished, *words: str) -> None:
    """Assert exit status 2 and one sentence that has the words."""
    assert finished.status == 2, (finished.status, finished.stdout, finished.stderr)
    assert "Traceback" not in finished.stderr
    sentence = " ".join(finished.stderr.split())
    for word in words:
        assert word in sentence, sentence


def constructor(body: str) -> str:
    """The good model with an ``__init__`` of these lines."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return GOOD.replace("    def forward", f"    def __init__(self):\n{lines}\n    def forward", 1)


def check(tmp_path: Path, cache: Path, source: str, *arguments: str, name: str = "Model") -> Finished:
    file = tmp_path / "model.py"
    file.write_text(source, encoding="utf-8")
    return aipc("check", f"{file}:{name}", "--soc", "sm8650", *arguments, cwd=tmp_path, cache=cache)


def test_missing_file(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "model.py").write_text(GOOD)
    finished = aipc("check", "modle.py:Model", "--soc", "sm8650", cwd=tmp_path, cache=cache)
    says(finished, "modle.py", "model.py")


def test_syntax_error_names_the_line(tmp_path: Path, cache: Path) -> None:
    says(check(tmp_path, cache, GOOD.replace("def forward(self, x):", "def forward(self, x)")), "model.py:7")


def test_wrong_name_is_answered_with_the_near_one(tmp_path: Path, cache: Path) -> None:
    says(check(tmp_path, cache, GOOD, name="Modle"), "Modle", "Model")


def test_missing_dependency(tmp_path: Path, cache: Path) -> None:
    says(check(tmp_path, cache, "import nowhere_to_be_found\n" + GOOD), "nowhere_to_be_found")


def test_raising_constructor_names_the_line(tmp_path: Path, cache: Path) -> None:
    source = constructor('raise ValueError("no weights")')
    says(check(tmp_path, cache, source), "no weights", "model.py:8")


def test_corrupt_onnx(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07\x12\x03garbage" * 9)
    says(aipc("check", "broken.onnx", "--soc", "sm8650", cwd=tmp_path, cache=cache), "broken.onnx")


def test_unknown_soc_is_answered_with_near_ones(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "model.py").write_text(GOOD)
    says(aipc("check", "model.py:Model", "--soc", "sm8651", cwd=tmp_path, cache=cache), "sm8651", "sm8650")


def test_unusable_output_directory(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "model.py").write_text(GOOD)
    (tmp_path / "taken").write_text("a file, not a directory")
    arguments = ("deploy", "model.py:Model", "--soc", "sm8650", "--output", "taken/package")
    says(aipc(*arguments, cwd=tmp_path, cache=cache), "taken")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] not in "._") == [
        "model.py",
        "taken",
    ]


def test_endless_constructor_is_ended(tmp_path: Path, cache: Path) -> None:
    source = constructor("while True:\n    pass")
    finished = check(tmp_path, cache, source, "--time-limit", "5")
    says(finished, "5")
    assert finished.seconds < 60


def test_segfault_costs_the_job_only(tmp_path: Path, cache: Path) -> None:
    source = constructor("import ctypes\n\nctypes.string_at(0)")
    says(check(tmp_path, cache, source), "SIGSEGV", "segmentation fault")


def test_too_much_memory_costs_the_job_only(tmp_path: Path, cache: Path) -> None:
    source = constructor("super().__init__()\nself.w = torch.zeros(8 * 2**30)")
    says(check(tmp_path, cache, source), "memory")


def test_json_keeps_stdout_for_the_document(tmp_path: Path, cache: Path) -> None:
    source = 'print("noise")\n' + GOOD
    finished = check(tmp_path, cache, source, "--json")
    assert finished.status == 0, finished.stderr
    assert finished.report["findings"] == []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a file system")
@pytest.mark.parametrize(("options", "words"), [("size=16k", "No space left"), ("size=1m,ro", "Read-only")])
def test_full_and_read_only_disks_are_told_and_left_clean(
    tmp_path: Path, cache: Path, options: str, words: str
) -> None:
    (tmp_path / "model.py").write_text(GOOD)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", os.fspath(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        arguments = ("deploy", "model.py:Model", "--soc", "sm8650", "--output", disk / "package")
        says(aipc(*arguments, cwd=tmp_path, cache=cache), words, "--output")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", os.fspath(disk)], check=True)
