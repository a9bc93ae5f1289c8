"""``aipc cache``: what is in it, whether it is whole, and how it becomes smaller; and output that cannot be written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aipc.core.cache import Cache


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path))
    for letter in "abc":

        def build(directory: Path) -> dict[str, str]:
            (directory / "file").write_bytes(bytes(10_000))
            return {}

        Cache(tmp_path).put(letter * 64, build)
    return tmp_path


def aipc(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aipc", *arguments]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)


def test_the_cache_is_shown_verified_limited_and_cleared(cache):
    shown = json.loads(aipc("cache", "--json").stdout)
    assert (shown["entries"], shown["directory"]) == (3, str(cache)) and shown["bytes"] > 30_000
    assert aipc("cache", "verify").returncode == 0

    (cache / "entries" / "bb" / ("b" * 64) / "file").write_bytes(b"1" + bytes(9_999))
    found = aipc("cache", "verify")
    assert found.returncode == 1 and "3 entries hashed, 1 damaged" in found.stdout
    assert json.loads(aipc("cache", "verify", "--json").stdout)["verified"] == 2

    limited = json.loads(aipc("cache", "limit", "15kB", "--json").stdout)
    assert (limited["entries"], limited["limit_bytes"]) == (1, 15_000)
    assert Cache().max_bytes == 15_000
    assert json.loads(aipc("cache", "clear", "--json").stdout)["entries"] == 0


@pytest.mark.parametrize("arguments", [["explode"], ["limit"], ["limit", "much"], ["show", "5GB"]])
def test_what_cannot_be_done_is_a_sentence(cache, arguments):
    finished = aipc("cache", *arguments)
    assert finished.returncode == 2 and finished.stderr.startswith("error: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux")
def test_a_full_disk_behind_stdout_is_a_sentence(cache):
    with Path("/dev/full").open("w") as full:
        finished = aipc("cache", stdout=full.fileno())
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: the output cannot be written: No space left on device")
    assert len(finished.stderr.splitlines()) == 1
