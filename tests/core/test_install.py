"""A directory is put in its place whole or not at all, and nothing that AIPC did not write is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aipc.core import install as module
from aipc.core.errors import StorageError
from aipc.core.install import check_destination, install_output, recover


def problem(directory: Path) -> str:
    """Ours is what holds ``mine`` and nothing else."""
    names = sorted(path.name for path in directory.iterdir())
    return "" if names == ["mine"] else f"it holds {names}"


def builder(text: str):
    def build(staging: Path) -> None:
        staging.mkdir()
        (staging / "mine").write_text(text)

    return build


def entries(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


@pytest.fixture(params=["exchange", "rename"])
def either_way(request, monkeypatch):
    """With the system's exchange of two names, and as on systems without it."""
    if request.param == "rename":
        monkeypatch.setattr(module, "_exchange", lambda first, second: False)


@pytest.mark.usefixtures("either_way")
def test_what_is_ours_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    out = tmp_path / "out"
    for text in ("one", "two", "three"):
        install_output(out, builder(text), problem)
        assert (out / "mine").read_text() == text
        assert entries(tmp_path) == ["out"]


def test_an_empty_directory_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    install_output(tmp_path / "out", builder("one"), problem)
    assert (tmp_path / "out" / "mine").read_text() == "one"


@pytest.mark.parametrize("files", [{"manifest.json": "{}"}, {"mine": "", "yours": "x"}, {"deep/file": "x"}])
def test_foreign_files_are_never_lost(tmp_path, files):
    out = tmp_path / "out"
    for name, text in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    with pytest.raises(StorageError, match=f"{out} is not replaced: it holds"):
        install_output(out, builder("one"), problem)
    assert {name: (out / name).read_text() for name in files} == files
    assert entries(tmp_path) == ["out"]


@pytest.mark.usefixtures("either_way")
def test_a_file_that_appears_during_the_work_is_kept(tmp_path):
    out = tmp_path / "out"
    install_output(out, builder("one"), problem)

    def build(staging: Path) -> None:
        builder("two")(staging)
        (out / "late").write_text("precious")

    with pytest.raises(StorageError, match="late"):
        install_output(out, build, problem)
    assert (out / "late").read_text() == "precious" and (out / "mine").read_text() == "one"
    assert entries(tmp_path) == ["out"]


@pytest.mark.parametrize("kind", ["a file", "a pipe", "a socket", "a symbolic link", "a device"])
def test_what_is_no_directory_is_named_and_kept(tmp_path, kind):
    out = tmp_path / "out"
    server = None
    if kind == "a file":
        out.write_text("x")
    elif kind == "a pipe":
        os.mkfifo(out)
    elif kind == "a socket":
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(out))
    elif kind == "a symbolic link":
        (tmp_path / "there").mkdir()
        out.symlink_to(tmp_path / "there")
    else:
        out = Path("/dev/full")
    with pytest.raises(StorageError, match=f"{out} is {kind}"):
        install_output(out, builder("one"), problem)
    assert os.path.lexists(out)
    if server:
        server.close()


@pytest.mark.parametrize("place", ["x" * 300, "file/inside", "x" * 250])
def test_impossible_places_are_one_sentence(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        install_output(tmp_path / place, builder("one"), problem)
    assert entries(tmp_path) == ["file"]


def test_a_builder_that_raises_leaves_what_was_there(tmp_path):
    out = tmp_path / "out"
    install_output(out, builder("one"), problem)

    def build(staging: Path) -> None:
        staging.mkdir()
        (staging / "half").write_text("")
        raise OSError(28, "No space left on device", str(staging / "half"))

    with pytest.raises(StorageError, match="No space left on device"):
        install_output(out, build, problem)
    assert (out / "mine").read_text() == "one" and entries(tmp_path) == ["out"]


def test_what_a_kill_left_is_restored_and_swept(tmp_path):
    out = tmp_path / "out"
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.old" / "mine").write_text("before the kill")
    (tmp_path / f".out.{'a' * 12}.new").mkdir()
    (tmp_path / f".outer.{'a' * 12}.new").mkdir()
    recover(out, problem)
    assert (out / "mine").read_text() == "before the kill"
    install_output(out, builder("one"), problem)
    assert entries(tmp_path) == [f".outer.{'a' * 12}.new", "out"]


def test_a_directory_of_the_user_with_the_name_of_a_rest_is_kept(tmp_path):
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.old" / "diary").write_text("precious")
    recover(tmp_path / "out", problem)
    assert (tmp_path / ".out.old" / "diary").read_text() == "precious"
    assert not (tmp_path / "out").exists()


_INSTALL = """
import sys
from pathlib import Path
from aipc.core.install import install_output
def problem(directory): return "" if [p.name for p in directory.iterdir()] == ["mine"] else "strange"
def build(staging):
    staging.mkdir(); (staging / "mine").write_text(sys.argv[2] * 50_000)
for _ in range(int(sys.argv[3])): install_output(Path(sys.argv[1]), build, problem)
"""


def start(out: Path, text: str, times: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _INSTALL, str(out), text, str(times)], stderr=subprocess.PIPE)


def test_racing_installers_all_succeed_and_the_last_one_is_whole(tmp_path):
    out = tmp_path / "out"
    racers = [start(out, text, 25) for text in "abcd"]
    for racer in racers:
        _, errors = racer.communicate(timeout=120)
        assert racer.returncode == 0, errors.decode()
    text = (out / "mine").read_text()
    assert len(set(text)) == 1 and len(text) == 50_000
    assert entries(tmp_path) == ["out"]


def test_a_killed_installer_leaves_a_whole_directory_and_the_next_one_no_rest(tmp_path):
    out = tmp_path / "out"
    install_output(out, builder("first"), problem)
    for number in range(6):
        killed = start(out, "k", 10_000)
        time.sleep(0.25 + number * 0.013)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert (out / "mine").read_text() in {"first", "k" * 50_000}
    install_output(out, builder("last"), problem)
    assert entries(tmp_path) == ["out"]


def test_the_check_alone_changes_nothing(tmp_path):
    check_destination(tmp_path / "absent", problem)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text(json.dumps({"manifest_version": 3}))
    with pytest.raises(StorageError):
        check_destination(tmp_path / "web", problem)
    assert entries(tmp_path) == ["web"]
