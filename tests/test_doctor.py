"""doctor tells what is missing and the command that brings it."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from pathlib import Path

import pytest

from aipc import doctor

ROOT = Path(__file__).resolve().parents[1]


def item(name: str) -> doctor.Item:
    return next(item for item in doctor.examine().items if item.name == name)


@pytest.mark.skipif(platform.system() == "Darwin", reason="QAIRT does not exist for macOS")
def test_nothing_is_missing_in_the_development_environment() -> None:
    report = doctor.examine()
    assert report.ok, [item for item in report.items if not item.ok]
    assert re.fullmatch(r"\d+\.\d+\.\d+", item("QAIRT").found)


@pytest.mark.parametrize("library", doctor._LIBRARIES)
def test_missing_library_brings_its_command(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == library:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = item(library)
    assert not found.ok
    assert found.remedy.endswith(f"-m pip install '{library}>={doctor._LIBRARIES[library]}'")
    assert not doctor.examine().ok


def test_old_library_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "2.8.1+cpu")
    assert not item("torch").ok  # 2.9 is needed
    assert item("onnxruntime-qnn").ok  # 2.7 is


@pytest.mark.parametrize(
    ("version", "ok"), [("2.34", False), ("2.35", True), ("2.4", False), ("3.0", True), ("2.100", True)]
)
def test_glibc(version: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", version))
    assert item("glibc").ok is ok


def test_macos_is_told_that_there_is_no_qairt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not item("Platform").ok
    assert "macOS" in item("Platform").remedy


def test_unusable_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert not item("Cache directory").ok
    assert "AIPC_CACHE_DIR" in item("Cache directory").remedy


def test_least_versions_are_those_of_the_engine_extra() -> None:
    import tomlkit

    project = tomlkit.parse((ROOT / "pyproject.toml").read_text("utf-8")).unwrap()["project"]
    engine = [line.partition(";")[0].strip() for line in project["optional-dependencies"]["engine"]]
    for name, least in doctor._LIBRARIES.items():
        assert f"{name}>={least}" in engine
