"""Sample programs run the package that they were generated for: built here, on the simulator, golden outputs equal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.core.errors import InputError, StorageError
from aipc.samples.cpp import quote
from aipc.samples.sample import languages


def libraries() -> tuple[Path, Path]:
    """onnxruntime's shared library, and the directory of QAIRT's."""
    folders = []
    for name in ("onnxruntime", "onnxruntime_qnn"):
        spec = find_spec(name)
        assert spec and spec.origin
        folders.append(Path(spec.origin).parent)
    return next(folders[0].glob("capi/libonnxruntime.so*")), folders[1]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(item) for item in command], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def cpp(package: Path) -> Path:
    """The directory of the C++ sample with the program in it."""
    assert shutil.which("g++"), "the sample needs a C++ compiler"
    folder = engine.write_sample(package, "cpp")
    flags = ("-std=c++17", "-Wall", "-Wextra", "-Werror")
    built = run("g++", *flags, "sample.cpp", "-o", folder.parent / "sample", "-ldl", cwd=folder)
    assert built.returncode == 0, built.stderr
    shutil.copytree(folder, folder.parent / "build")
    shutil.move(folder.parent / "sample", folder.parent / "build" / "sample")
    return folder.parent / "build"


def test_the_cpp_sample_gives_the_golden_outputs_bit_for_bit(package: Path, cpp: Path) -> None:
    done = run(cpp / "sample", package, *libraries(), cwd=cpp)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("dB against PyTorch") == 2
    outputs = cpp / "outputs.npz"
    engine.run_package(package, output=outputs)
    with np.load(outputs) as expected:
        for number, name in enumerate(expected.files):
            actual = np.load(cpp / f"output-{number}.npy")
            assert actual.dtype == expected[name].dtype and np.array_equal(actual, expected[name]), name


def test_the_cpp_sample_fails_where_the_golden_outputs_are_others(package: Path, cpp: Path, tmp_path: Path) -> None:
    shutil.copytree(cpp, tmp_path / "build")
    golden = tmp_path / "build" / "golden" / "output-1.npy"
    np.save(golden, np.load(golden) + np.float32(1))
    assert run(tmp_path / "build" / "sample", package, *libraries(), cwd=tmp_path).returncode == 1


def test_the_cpp_sample_takes_arrays_and_says_what_does_not_fit(package: Path, cpp: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.full((1, 3, 8, 8), 0.25, np.float32))
    np.save(tmp_path / "offset.npy", np.zeros((1, 4, 1, 1), np.float32))
    program = cpp / "sample"
    done = run(program, package, *libraries(), "image.npy", "offset.npy", cwd=tmp_path)
    assert done.returncode == 0 and "dB" not in done.stdout, done.stderr
    assert np.load(tmp_path / "output-0.npy").shape == (1, 4, 6, 6)
    np.save(tmp_path / "image.npy", np.zeros((1, 3, 8, 9), np.float32))
    done = run(program, package, *libraries(), "image.npy", "offset.npy", cwd=tmp_path)
    assert done.returncode == 2 and "'shape': (1, 3, 8, 8)" in done.stderr


def test_the_python_sample_gives_the_same_numbers(package: Path, cpp: Path, tmp_path: Path) -> None:
    folder = engine.write_sample(package, "python", tmp_path / "sample")
    done = run(sys.executable, folder / "sample.py", package, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run(cpp / "sample", package, *libraries(), cwd=cpp).returncode == 0
    assert all(np.array_equal(np.load(tmp_path / f"output-{n}.npy"), np.load(cpp / f"output-{n}.npy")) for n in (0, 1))


def test_the_csharp_sample_is_valid_csharp(package: Path, tmp_path: Path) -> None:
    import tree_sitter
    import tree_sitter_c_sharp

    folder = engine.write_sample(package, "csharp", tmp_path / "sample")
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c_sharp.language()))
    tree = parser.parse((folder / "Sample.cs").read_bytes())
    assert not tree.root_node.has_error
    assert parser.parse(b"class A { int x = ; }").root_node.has_error
    assert "This one was not compiled" in (folder / "README.md").read_text()


def test_a_name_of_a_model_ends_no_literal() -> None:
    name = 'a"; system("x"); //\\ä\n??/'
    for language in languages().values():
        assert language.quote(name).count("\n") == 0
    assert quote(name) == r'"a\042; system(\042x\042); //\134\303\244\012\077\077/"'
    assert json.loads(languages()["csharp"].quote(name)) == name


def test_a_sample_that_its_reader_changed_is_not_replaced(package: Path, tmp_path: Path) -> None:
    folder = engine.write_sample(package, "python", tmp_path / "sample")
    (folder / "output-0.npy").write_bytes(b"of a run")
    assert engine.write_sample(package, "python", folder) == folder
    assert (folder / "output-0.npy").read_bytes() == b"of a run"
    (folder / "sample.py").write_text("# mine\n")
    with pytest.raises(StorageError, match=r"output-0\.npy was changed or added"):
        engine.write_sample(package, "python", folder)


def test_an_unknown_language_names_those_that_there_are(package: Path) -> None:
    with pytest.raises(InputError, match="no sample in 'rust'") as caught:
        engine.write_sample(package, "rust")
    assert "cpp or csharp or python" in caught.value.remedy
