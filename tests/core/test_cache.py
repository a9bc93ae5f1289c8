"""An entry that can be seen is complete, and a changed file is never taken for the old one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aipc.core.cache import Cache, Manifest
from aipc.core.errors import StorageError
from aipc.core.hashing import hash_file, hash_files, hash_value

KEY, OTHER = "a" * 64, "b" * 64


def write(text: str):
    def build(directory: Path) -> dict[str, str]:
        (directory / "file").write_text(text)
        return {"text": text}

    return build


def leftovers(cache: Cache) -> list[Path]:
    return list(cache.root.rglob(".tmp-*"))


def test_an_entry_is_built_once_and_found_again(tmp_path):
    cache = Cache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, write("one"))
    assert cache.put(KEY, write("two")).meta == {"text": "one"}
    entry = Cache(tmp_path).get(KEY)
    assert entry is not None and (entry.path / "file").read_text() == "one"


def test_a_builder_that_raises_leaves_nothing(tmp_path):
    cache = Cache(tmp_path)

    def build(directory: Path) -> dict[str, str]:
        (directory / "half").write_text("x")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.put(KEY, build)
    assert cache.get(KEY) is None and leftovers(cache) == []


def test_a_builder_that_is_killed_leaves_no_entry_and_the_next_one_cleans_up(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from aipc.core.cache import Cache\n"
        "def build(d): (d / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Cache(Path(sys.argv[1])).put({KEY!r}, build)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    cache = Cache(tmp_path)
    assert cache.get(KEY) is None and len(leftovers(cache)) == 1
    cache.put(KEY, write("whole"))
    assert leftovers(cache) == []


def test_builders_of_one_key_wait_for_each_other(tmp_path):
    calls = []

    def build(directory: Path) -> dict[str, str]:
        calls.append(1)
        time.sleep(0.2)
        return {}

    threads = [threading.Thread(target=lambda: Cache(tmp_path).put(KEY, build)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_a_damaged_entry_counts_as_none_and_is_built_again(tmp_path):
    cache = Cache(tmp_path)
    entry = cache.put(KEY, write("one"))
    (entry.path / "meta.json").write_text("{")
    assert cache.get(KEY) is None
    entry = cache.put(KEY, write("two"))
    (entry.path / "meta.json").unlink()
    assert cache.put(KEY, write("three")).meta == {"text": "three"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_told_with_a_remedy(tmp_path, number):
    cache = Cache(tmp_path)

    def build(directory: Path) -> dict[str, str]:
        raise OSError(number, os.strerror(number), str(directory / "big"))

    with pytest.raises(StorageError, match="AIPC_CACHE_DIR"):
        cache.put(KEY, build)
    assert leftovers(cache) == []


def test_an_author_s_unreadable_file_is_not_blamed_on_the_cache(tmp_path):
    def build(directory: Path) -> dict[str, str]:
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/model.py")

    with pytest.raises(PermissionError):
        Cache(tmp_path).put(KEY, build)


def test_a_cache_directory_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="AIPC_CACHE_DIR"):
        Cache(tmp_path / "file").put(KEY, write("x"))


def test_cleaning_removes_the_least_recently_used(tmp_path):
    old = Cache(tmp_path).put(KEY, write("x" * 5000))
    Cache(tmp_path).put(OTHER, write("y" * 5000))
    os.utime(old.path, (1, 1))
    cache = Cache(tmp_path, max_bytes=15_000)
    assert cache.clean() > 0
    assert cache.get(KEY) is None and cache.get(OTHER) is not None


def test_an_entry_that_was_read_lately_outlives_one_that_was_not(tmp_path):
    for key, used in ((KEY, 1), (OTHER, 2)):
        os.utime(Cache(tmp_path).put(key, write("x" * 5000)).path, (used, used))
    Cache(tmp_path).get(KEY)
    cache = Cache(tmp_path, max_bytes=15_000)
    assert cache.clean() > 0
    assert cache.get(KEY) is not None
    assert cache.get(OTHER) is None


def test_a_manifest_holds_while_all_files_are_unchanged(tmp_path):
    source = tmp_path / "m.py"
    source.write_text("one")
    manifest = Manifest(Cache(tmp_path / "cache"))
    assert manifest.lookup("p") is None
    manifest.record("p", hash_files([source]), KEY)
    assert manifest.lookup("p") == KEY
    source.write_text("two")
    assert manifest.lookup("p") is None
    manifest.record("p", hash_files([source]), OTHER)
    source.write_text("one")
    assert manifest.lookup("p") == KEY
    source.unlink()
    assert manifest.lookup("p") is None


@pytest.mark.skipif(os.name != "posix", reason="the short cut is for POSIX file systems")
def test_a_big_settled_file_is_not_read_again_but_a_change_behind_the_same_time_is_seen(tmp_path, monkeypatch):
    from aipc.core import cache as module

    monkeypatch.setattr(module, "_SETTLED_NS", 0)
    weights = tmp_path / "w.bin"
    weights.write_bytes(b"a" * (5 << 20))
    manifest = Manifest(Cache(tmp_path / "cache"))
    manifest.record("p", hash_files([weights]), KEY)
    monkeypatch.setattr(module, "hash_file", lambda path: pytest.fail("read again"))
    assert manifest.lookup("p") == KEY
    monkeypatch.undo()
    before = weights.stat()
    time.sleep(0.02)
    weights.write_bytes(b"b" * (5 << 20))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert manifest.lookup("p") is None


def test_hashes_depend_on_content_only(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").write_bytes(b"x" * 3_000_000)
    assert hash_file(tmp_path / "a") == hash_file(tmp_path / "b")
    assert hash_value({"a": 1, "b": (2, float("inf"))}) == hash_value({"b": [2, float("inf")], "a": 1})
    assert hash_value({"a": 1}) != hash_value({"a": 2})
    with pytest.raises(TypeError):
        hash_value({"a": object()})
