"""Where packages go: only what AIPC wrote is replaced, and only below the project where nobody named another place."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.errors import AipcError, ModelLoadError, StorageError
from aipc.core.package_manifest import check_package


def deploy(project: Path, pool, out: Path | None = None, model: str = "model.py:Small"):
    return engine.deploy(engine.DeployRequest(model, out=out, cwd=project), pool)


@pytest.mark.parametrize(
    "files",
    [
        {"manifest.json": json.dumps({"manifest_version": 3, "name": "my extension"}), "background.js": "precious"},
        {"manifest.json": json.dumps({"format": 1, "name": "my web app"}), "index.html": "precious"},
        {"manifest.json": "not JSON", "thesis.tex": "precious"},
        {"thesis.tex": "precious"},
    ],
)
def test_a_directory_of_somebody_else_is_refused_before_any_work(project, deployed, pool, tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = len(list((project / ".aipc" / "runs").iterdir()))
    with pytest.raises(StorageError, match=f"{tmp_path} is not replaced: it ha"):
        deploy(project, pool, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files
    assert len(list((project / ".aipc" / "runs").iterdir())) == before


def test_a_package_with_a_file_of_the_users_is_refused(project, deployed, pool, tmp_path):
    out = tmp_path / "package"
    deploy(project, pool, out)
    (out / "notes.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"it holds notes\.txt, which AIPC did not write"):
        deploy(project, pool, out)
    assert (out / "notes.txt").read_text() == "precious"


def test_a_damaged_package_is_replaced_by_a_whole_one_with_its_reports(project, deployed, pool, tmp_path):
    out = tmp_path / "package"
    deploy(project, pool, out)
    next(out.glob("*.bin")).write_bytes(b"damaged")
    assert deploy(project, pool, out).ok
    check_package(out)
    assert json.loads((out / "report.json").read_text())["package"] == str(out)
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_deployments_that_race_for_one_directory_all_succeed(project, deployed, pool, tmp_path):
    out = tmp_path / "package"
    errors: list[BaseException] = []

    def once() -> None:
        try:
            assert deploy(project, pool, out).ok
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    check_package(out)
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


@pytest.mark.parametrize("out", ["/dev/full", "x" * 300, "/proc/package"])
def test_places_that_cannot_be_written_are_a_sentence(project, deployed, pool, tmp_path, out):
    with pytest.raises(AipcError, match=r"choose|cannot be"):
        deploy(project, pool, tmp_path / out)


def write_config(root: Path, name: str, more: str = "") -> None:
    entry = f'[tool.aipc.models."{name}"]\nentry = "model.py:Small"\n{more}'
    (root / "pyproject.toml").write_text(f'[tool.aipc]\nsoc = "sm8650"\n{entry}')


@pytest.mark.parametrize("name", ["../../../../esc", "a/b", "..", "x" * 300, "a\\\\b", " "])
def test_a_configured_name_that_is_a_path_is_refused(project, deployed, pool, tmp_path, name):
    root = tmp_path / "deep" / "er" / "project"
    root.mkdir(parents=True)
    (root / "model.py").write_text((project / "model.py").read_text())
    write_config(root, name)
    with pytest.raises(AipcError, match="name"):
        deploy(root, pool, model=name.replace("\\\\", "\\"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "er", "model.py", "project", "pyproject.toml"]


def test_a_class_whose_name_is_a_path_is_refused(project, deployed, pool):
    with pytest.raises(ModelLoadError, match="is a path"):
        deploy(project, pool, model="model.py:../../x")
    with pytest.raises(ModelLoadError, match="longer than"):
        deploy(project, pool, model=f"model.py:{'X' * 300}")


@pytest.mark.parametrize("link", [".aipc", ".aipc/packages", ".aipc/runs"])
def test_a_link_out_of_the_project_is_not_followed(project, deployed, pool, tmp_path, link):
    root, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    root.mkdir()
    (root / "model.py").write_text((project / "model.py").read_text())
    (root / "pyproject.toml").write_text('[tool.aipc]\nsoc = "sm8650"\n')
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(outside)
    with pytest.raises(StorageError, match="leads out of the project"):
        deploy(root, pool)
    assert list(outside.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="names of POSIX")
def test_a_package_that_a_kill_moved_away_is_back_even_when_the_next_deployment_fails(
    project, deployed, pool, tmp_path
):
    out = tmp_path / "package"
    deploy(project, pool, out)
    out.rename(tmp_path / ".package.old")
    with pytest.raises(AipcError):
        deploy(project, pool, out, model="model.py:Missing")
    check_package(out)


@pytest.mark.parametrize("name", ["model.py", "model.onnx", "source.npz", "pipe.npz", "no/such/place.npz"])
def test_outputs_of_a_run_replace_arrays_only(deployed, pool, tmp_path, name):
    for taken in ("model.py", "model.onnx", "source.npz"):
        (tmp_path / taken).write_text("precious")
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(AipcError, match="choose another file"):
        engine.run_package(Path(deployed.package), output=tmp_path / name, pool=pool)
    assert {(tmp_path / taken).read_text() for taken in ("model.py", "model.onnx", "source.npz")} == {"precious"}


def test_inputs_from_a_pipe_do_not_hang(deployed, pool, tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(AipcError, match="not a regular file"):
        engine.run_package(Path(deployed.package), tmp_path / "x.npz", tmp_path / "y.npz", pool=pool)
