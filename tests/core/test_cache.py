"""An entry that can be seen is complete, and a changed file is never taken for the old one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aipc.core.cache import Cache, DamagedEntryError, Manifest, storage_errors
from aipc.core.entry_files import stamp_of
from aipc.core.errors import StorageError
from aipc.core.hashing import hash_file, hash_files, hash_value
from aipc.core.scratch import scratch_directory

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


def test_a_read_only_disk_above_the_directory_is_told(tmp_path):
    words = "Read-only file system — choose a directory"
    with pytest.raises(StorageError, match=words), storage_errors(tmp_path / "checks" / "1"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path))


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


def test_a_manifest_without_a_file_is_never_found_again_unless_the_key_alone_decides(tmp_path):
    manifest = Manifest(Cache(tmp_path / "cache"))
    manifest.record("seen nothing", {}, KEY)
    assert manifest.lookup("seen nothing") is None
    manifest.record("key alone", None, OTHER)
    assert manifest.lookup("key alone") == OTHER


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


def flip(path: Path, *, unseen: bool = False) -> None:
    """Change one bit; ``unseen``: as a storage device does it, so that no time says so."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    if unseen:
        record = path.parent / "hashes.json"
        data = json.loads(record.read_text())
        data["files"][path.name][1] = list(stamp_of(path))
        record.write_text(json.dumps(data))


@pytest.mark.parametrize("name", ["file", "meta.json", "hashes.json"])
@pytest.mark.parametrize("how", ["flip", "truncate", "remove", "empty"])
def test_a_file_that_is_not_what_was_written_is_made_again_and_reported(tmp_path, name, how):
    entry = Cache(tmp_path).put(KEY, write("one"))
    path = entry.path / name
    if how == "flip":
        flip(path)
    elif how == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: -1 if how == "truncate" else 0])
    cache, reports = Cache(tmp_path), []
    cache.on_damage = reports.append
    found = cache.get(KEY)
    if found is not None:  # a bit of a time stamp: the file was hashed instead
        assert (name, how) == ("hashes.json", "flip") and (found.path / "file").read_text() == "one"
        return
    assert len(reports) == 1 and "is made again" in reports[0]
    assert (cache.put(KEY, write("one")).path / "file").read_text() == "one"
    assert len(reports) == 1


def test_what_a_storage_device_changed_by_itself_is_found_before_something_is_made_from_it(tmp_path):
    entry = Cache(tmp_path).put(KEY, write("one"))
    flip(entry.path / "file", unseen=True)
    cache, reports = Cache(tmp_path), []
    cache.on_damage = reports.append
    entry = cache.get(KEY)
    assert entry is not None, "a look-up trusts the stamps"
    with pytest.raises(DamagedEntryError) as caught:
        cache.require_sound([entry])
    assert caught.value.key == KEY and len(reports) == 1
    assert cache.get(KEY) is None


def test_files_are_not_read_for_a_look_up_and_once_before_something_is_made_from_them(tmp_path, monkeypatch):
    from aipc.core import entry_files

    entry = Cache(tmp_path).put(KEY, write("one"))
    hashed = []
    monkeypatch.setattr(entry_files, "hash_file", lambda path: hashed.append(path.name) or hash_file(path))
    cache = Cache(tmp_path)
    assert cache.get(KEY) is not None and hashed == []
    for _ in range(3):
        cache.require_sound([entry])
    assert sorted(hashed) == ["file", "meta.json"]


def test_a_cache_that_was_copied_is_hashed_once_and_then_known(tmp_path, monkeypatch):
    from aipc.core import entry_files

    Cache(tmp_path / "a").put(KEY, write("one"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert Cache(tmp_path / "b").get(KEY) is not None
    monkeypatch.setattr(entry_files, "hash_file", lambda path: pytest.fail("read again"))
    assert Cache(tmp_path / "b").get(KEY) is not None


def test_entries_in_use_are_not_cleaned_and_the_kernel_gives_back_those_of_the_dead(tmp_path):
    code = (
        "import sys; from pathlib import Path; from aipc.core.cache import Cache\n"
        f"cache = Cache(Path(sys.argv[1])); entry = cache.get({KEY!r}); print(entry is not None, flush=True)\n"
        "sys.stdin.read()"
    )
    Cache(tmp_path).put(KEY, write("one"))
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout and user.stdout.readline() == "True\n"
        Cache(tmp_path, max_bytes=0).clean()
        assert (tmp_path / "entries" / KEY[:2] / KEY / "file").is_file()
        user.kill()
    Cache(tmp_path, max_bytes=0).clean()
    assert Cache(tmp_path).get(KEY) is None


def test_an_entry_is_kept_from_the_moment_that_it_can_be_seen(tmp_path, monkeypatch):
    rename = Path.rename

    def rename_and_clean(self, target):
        result = rename(self, target)
        if self.name.startswith(".tmp-"):
            cleaner = "import sys; from pathlib import Path; from aipc.core.cache import Cache\n"
            cleaner += "Cache(Path(sys.argv[1]), max_bytes=0).clean()"
            subprocess.run([sys.executable, "-c", cleaner, str(tmp_path)], check=True)
        return result

    monkeypatch.setattr(Path, "rename", rename_and_clean)
    cache = Cache(tmp_path)
    entry = cache.put(KEY, write("one"))
    assert (entry.path / "file").read_text() == "one"


def test_cleaning_removes_what_dead_builders_left_and_nothing_of_live_ones(tmp_path):
    Cache(tmp_path).put(KEY, write("one"))
    rest = tmp_path / "entries" / OTHER[:2] / f".tmp-{OTHER[:32]}-x"
    rest.mkdir(parents=True)
    started, go = threading.Event(), threading.Event()

    def build(directory: Path) -> dict[str, str]:
        started.set()
        go.wait(10)
        return {}

    builder = threading.Thread(target=lambda: Cache(tmp_path).put("c" * 64, build))
    builder.start()
    started.wait(10)
    Cache(tmp_path).clean()
    assert [path.name[:12] for path in leftovers(Cache(tmp_path))] == [f".tmp-{'c' * 7}"]
    go.set()
    builder.join()
    assert Cache(tmp_path).get("c" * 64) is not None


def test_what_was_put_in_the_place_of_an_entry_while_that_was_being_removed_stays(tmp_path, monkeypatch):
    from aipc.core import pins

    path = Cache(tmp_path).put(KEY, write("old")).path
    flock, kept = pins.fcntl.flock, []

    def replaced_first(descriptor: int, how: int) -> None:
        monkeypatch.setattr(pins.fcntl, "flock", flock)
        shutil.rmtree(path)
        kept.append(Cache(tmp_path))
        kept[0].put(KEY, write("new"))
        flock(descriptor, how)

    monkeypatch.setattr(pins.fcntl, "flock", replaced_first)
    with pins.unused(path) as free:
        assert not free
    assert (path / "file").read_text() == "new"


def test_an_entry_that_is_being_built_anew_is_not_cleaned(tmp_path):
    path = Cache(tmp_path).put(KEY, write("old")).path
    with Cache(tmp_path)._key_lock(KEY):
        assert Cache(tmp_path, max_bytes=0).clean() == 0 and path.is_dir()
    assert Cache(tmp_path, max_bytes=0).clean() > 0 and not path.exists()


def test_cleaning_removes_the_working_directories_of_dead_processes_beside_the_entries(tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom aipc.core.scratch import scratch_directory\n"
        "with scratch_directory(Path(sys.argv[1])) as directory:\n"
        "    (directory / 'file').write_bytes(b'x' * 100)\n    os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (dead,) = tmp_path.iterdir()
    with scratch_directory(tmp_path) as alive:
        assert Cache(tmp_path).clean() == 100
        assert alive.is_dir() and not dead.exists()


@pytest.mark.parametrize("key", ["../../../../etc", "..", "/etc", "a/b", "", "x" * 64])
def test_a_key_is_never_a_path(tmp_path, key):
    precious = tmp_path / "etc"
    precious.mkdir()
    (precious / "meta.json").write_text("{")
    cache = Cache(tmp_path / "a" / "b")
    assert cache.get(key) is None
    with pytest.raises(ValueError, match="is not a key"):
        cache.put(key, write("x"))
    assert (precious / "meta.json").exists()


@pytest.mark.parametrize("text", ["[]", "null", "{", '{"a": 1}', '{"a": {"b": 1}}', "5", "[" * 100_000])
def test_a_damaged_table_of_files_finds_nothing_and_is_written_anew(tmp_path, text):
    source = tmp_path / "m.py"
    source.write_text("one")
    manifest = Manifest(Cache(tmp_path / "cache"))
    manifest.record("p", hash_files([source]), KEY)
    next((tmp_path / "cache" / "manifests").glob("*.json")).write_text(text)
    assert manifest.lookup("p") is None
    manifest.record("p", hash_files([source]), KEY)
    assert manifest.lookup("p") == KEY
