"""What a model depends on is recorded wherever the project lies; the interpreter says what is installed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from aipc.core.cache import Cache, Manifest

LOAD = """
import json, sys
from pathlib import Path
from aipc.capture.files import recorded_files
from aipc.capture.load import import_file
path = Path(sys.argv[1])
with recorded_files(path) as files:
    import_file(path)
print(json.dumps(files.hashes()))
"""


def loaded(path: Path, cwd: Path | None = None) -> set[str]:
    done = subprocess.run([sys.executable, "-c", LOAD, str(path)], capture_output=True, text=True, check=True, cwd=cwd)
    return set(json.loads(done.stdout))


@pytest.fixture
def shared_memory():
    if not Path("/dev/shm").is_dir():
        pytest.skip("this system has no /dev/shm")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory).resolve()


def test_a_project_below_dev_or_in_a_folder_of_our_names_is_recorded(shared_memory, tmp_path):
    for root in (shared_memory, tmp_path / "server" / "aipc"):
        root.mkdir(exist_ok=True, parents=True)
        (root / "helper.py").write_text("x = 1\n")
        (root / "labels.txt").write_text("cat")
        (root / "model.py").write_text(
            "import os, helper\nlabels = open('labels.txt').read()\nopen('/proc/self/stat').read()\nos.chdir('/')\n"
        )
        assert loaded(root / "model.py", root) == {str(root / name) for name in ("model.py", "helper.py", "labels.txt")}


def test_another_version_of_an_imported_package_is_another_dependency(tmp_path):
    import pygls

    (tmp_path / "model.py").write_text("import pygls.uris, json\n")
    (metadata,) = loaded(tmp_path / "model.py") - {str(tmp_path / "model.py")}
    assert Path(metadata).parent.parent == Path(pygls.__file__).parent.parent
    assert "\nName: pygls\n" in Path(metadata).read_text("utf-8")


def test_a_model_in_an_installed_package_counts_itself():
    from pygls import uris

    assert uris.__file__ in loaded(Path(uris.__file__))


def test_a_record_of_no_file_is_never_found_and_one_that_needs_none_is(tmp_path):
    manifest = Manifest(Cache(tmp_path))
    manifest.record("unseen", {}, "entry")
    manifest.record("needs none", None, "entry")
    assert manifest.lookup("unseen") is None
    assert manifest.lookup("needs none") == "entry"
