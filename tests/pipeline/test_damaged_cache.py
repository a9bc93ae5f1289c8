"""Nothing is made from a damaged cache: what is damaged is found, said, and made again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.entry_files import stamp_of
from aipc.core.hashing import hash_file
from aipc.core.package_manifest import check_package
from aipc.pipeline.journal import read_journal


@pytest.fixture
def cache(deployed, cache_directory, tmp_path, monkeypatch) -> Path:
    """A copy of the cache that holds every stage of the deployed model."""
    copy = Path(shutil.copytree(cache_directory, tmp_path / "cache"))
    monkeypatch.setenv("AIPC_CACHE_DIR", str(copy))
    return copy


def keys(report) -> dict[str, str]:
    """Stage -> key of its entry."""
    events = read_journal(Path(report.run))
    return {event["stage"]: event["key"] for event in events if event["event"] == "stage done"}


def entry(cache: Path, key: str) -> Path:
    return cache / "entries" / key[:2] / key


def flip(path: Path, directory: Path, *, unseen: bool) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    if unseen:  # as a storage device does it: no time says so
        record = directory / "hashes.json"
        data = json.loads(record.read_text())
        data["files"][path.relative_to(directory).as_posix()][1] = list(stamp_of(path))
        record.write_text(json.dumps(data))


def deploy(project, pool, out: Path):
    said: list[str] = []
    report = engine.deploy(
        engine.DeployRequest("model.py:Small", out=out, cwd=project), pool, lambda event: said.append(event.message)
    )
    return report, [message for message in said if "damaged" in message]


@pytest.mark.parametrize("unseen", [False, True])
@pytest.mark.parametrize("name", ["model_qnn.bin", "manifest.json", "golden/outputs.npz"])
def test_a_damaged_cached_package_is_not_installed(project, pool, deployed, cache, tmp_path, name, unseen):
    place = entry(cache, keys(deployed)["package"])
    flip(place / "package" / name, place, unseen=unseen)
    report, said = deploy(project, pool, tmp_path / "out")
    assert report.ok and len(said) == 1 and name in said[0]
    assert check_package(tmp_path / "out")["files"] == check_package(Path(deployed.package))["files"]
    assert "cache damaged" in {event["event"] for event in read_journal(Path(report.run))}


@pytest.mark.parametrize("unseen", [False, True])
def test_a_flipped_weight_of_a_cached_capture_becomes_no_package(project, pool, deployed, cache, tmp_path, unseen):
    of = keys(deployed)
    for stage in ("compile", "package", "run", "verify"):
        shutil.rmtree(entry(cache, of[stage]))
    place = entry(cache, of["capture"])
    flip(place / "model.onnx", place, unseen=unseen)
    report, said = deploy(project, pool, tmp_path / "out")
    assert report.ok and len(said) == 1 and "model.onnx" in said[0]
    assert hash_file(tmp_path / "out" / "model_qnn.bin") == hash_file(Path(deployed.package) / "model_qnn.bin")
    assert not next(record for record in report.stages if record.name == "capture").cached


@pytest.mark.parametrize("stage", ["verify capture", "rewrite", "compile", "run", "verify"])
def test_an_incomplete_entry_of_any_stage_is_made_again(project, pool, deployed, cache, tmp_path, stage):
    place = entry(cache, keys(deployed)[stage])
    (place / "meta.json").write_text("{}")
    report, said = deploy(project, pool, tmp_path / "out")
    assert report.ok and len(said) == 1
    check_package(tmp_path / "out")


def test_a_deployment_without_the_cache_leaves_what_another_one_uses(project, pool, deployed, cache, tmp_path):
    from aipc.core.cache import Cache

    other = Cache()
    used = other.get(keys(deployed)["compile"])
    assert used is not None
    request = engine.DeployRequest("model.py:Small", out=tmp_path / "out", cwd=project, use_cache=False)
    assert engine.deploy(request, pool).ok
    assert (used.path / "model_qnn.bin").is_file()
