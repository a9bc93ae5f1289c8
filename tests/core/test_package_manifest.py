"""What a manifest may say: everything else is refused by the name of the key, as is a file that it does not list."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from aipc.core.errors import PackageError
from aipc.core.hashing import hash_file
from aipc.core.package_manifest import check_package, manifest_problem, ownership_problem, read_manifest

FILES = ("model.onnx", "model_qnn.bin", "golden/inputs.npz", "golden/outputs.npz", "run.py")


def manifest_of(package: Path) -> dict[str, Any]:
    """A manifest that fits the schema, over the files of ``FILES``."""
    spec = {"name": "x", "dtype": "float32", "shape": [1, 3]}
    return {
        "format": 1,
        "model": "net",
        "precision": "fp16",
        "soc": "sm8650",
        "soc_model": 57,
        "htp_arch": 75,
        "qairt": "2.51.0",
        "entry": "model.onnx",
        "inputs": [spec],
        "outputs": [spec | {"name": "y"}],
        "self_test_sqnr_db": 37.0,
        "files": {name: hash_file(package / name) for name in FILES},
    }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Files and a manifest that lists them."""
    package = tmp_path / "package"
    for name in FILES:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    (package / "manifest.json").write_text(json.dumps(manifest_of(package)))
    return package


def changed(package: Path, **values: Any) -> Path:
    manifest = json.loads((package / "manifest.json").read_text())
    (package / "manifest.json").write_text(json.dumps(manifest | values))
    return package


def test_a_whole_package_is_taken_with_keys_that_nobody_knows(package):
    assert check_package(changed(package, later={"a": 1}))["later"] == {"a": 1}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("format", 99, "format 99"),
        ("format", True, "format True"),
        ("files", None, "files is not a table"),
        ("files", {}, "files is not a table"),
        ("files", {"model.onnx": 5}, "no SHA-256 for model.onnx"),
        ("outputs", [], "outputs is empty"),
        ("outputs", [{"name": "y", "dtype": "float32", "shape": [0]}], r"outputs \[0\] shape \[0\] is 0"),
        ("outputs", [{"name": "y", "dtype": "object", "shape": [1]}], "not a dtype"),
        ("outputs", [{"name": "y", "dtype": "int8", "shape": [1]}] * 2, "outputs has a name twice"),
        ("inputs", "x", "inputs is not a list"),
        ("self_test_sqnr_db", -1000, "self_test_sqnr_db is -1000"),
        ("self_test_sqnr_db", None, "self_test_sqnr_db is None"),
        ("gates", {"verify": {"metric": "sqnr_db", "threshold": -1.0}}, "'verify' threshold is -1.0"),
        ("self_test_sqnr_db", 10**400, "is 1000"),
        ("gates", {"verify": {"metric": "sqnr_db", "threshold": "-inf"}}, "'verify' threshold is '-inf'"),
        ("gates", [], "gates is not an object"),
        ("deployments", {"ssh:evil": "x"}, "deployments 'ssh:evil' is not an object"),
        ("soc", "../../x", "not the name of a chip"),
        ("entry", "/etc/passwd", "is not the name of a file inside"),
        ("entry", "run", "files does not list run"),
        ("capture", "../../../home", "not the key of a capture"),
        ("model", "a\x1b[2Jb", "model is not one line of text"),
        ("contexts", [{"soc": "sm8650"}], r"contexts \[0\] has no soc_model"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(package, key, value, words):
    with pytest.raises(PackageError, match=words):
        read_manifest(changed(package, **{key: value}))


@pytest.mark.parametrize("key", ["files", "outputs", "inputs", "entry", "soc", "self_test_sqnr_db", "format", "model"])
def test_an_absent_key_is_named(package, key):
    manifest = manifest_of(package)
    del manifest[key]
    (package / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(PackageError, match=key):
        read_manifest(package)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b", "C:x", "a\\b", "", ".", "a\0b", "x" * 2000])
def test_a_listed_name_outside_the_package_is_refused(package, name):
    manifest = manifest_of(package)
    manifest["files"][name] = "0" * 64
    assert "files" in manifest_problem(manifest)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": NaN}', "[" * 100_000, '{"format": 1}', "\xff"])
def test_what_is_no_manifest_is_one_sentence(package, text):
    (package / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(PackageError, match=r"manifest\.json"):
        read_manifest(package)


def test_a_pipe_in_place_of_the_manifest_does_not_hang(package):
    (package / "manifest.json").unlink()
    os.mkfifo(package / "manifest.json")
    with pytest.raises(PackageError, match="damaged"):
        read_manifest(package)


def test_files_that_are_not_listed_are_refused_by_name(package):
    (package / "numpy.py").write_text("")
    with pytest.raises(PackageError, match=r"numpy\.py is not part of the package"):
        check_package(package)
    (package / "numpy.py").unlink()
    (package / "deep").mkdir()
    with pytest.raises(PackageError, match="deep is not part of the package"):
        check_package(package)


def test_a_link_or_a_socket_in_place_of_a_listed_file_is_refused(package, tmp_path):
    (tmp_path / "same").write_text("run.py")
    (package / "run.py").unlink()
    (package / "run.py").symlink_to(tmp_path / "same")
    with pytest.raises(PackageError, match=r"run\.py is missing"):
        check_package(package)
    (package / "run.py").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(package / "run.py"))
        with pytest.raises(PackageError, match=r"run\.py is missing"):
            check_package(package)


def test_reports_are_known_and_foreign_files_make_a_directory_foreign(package):
    (package / "report.html").write_text("")
    assert ownership_problem(package) == ""
    (package / "model.onnx").write_text("damaged: still ours")
    assert ownership_problem(package) == ""
    (package / "golden" / "notes.txt").write_text("mine")
    assert "golden/notes.txt" in ownership_problem(package)
