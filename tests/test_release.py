"""What goes to the registries: one version, complete metadata, and packages that work where nothing else is."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import yaml

import aipc

ROOT = Path(__file__).resolve().parents[1]
VERSION: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "version.py"))
PROJECT: dict[str, Any] = tomlkit.parse((ROOT / "pyproject.toml").read_text("utf-8")).unwrap()


def test_every_file_names_the_one_version() -> None:
    assert VERSION["versions"]() == {
        file: [aipc.__version__] * (2 if file == "package-lock.json" else 1) for file in VERSION["PLACES"]
    }


def test_setting_the_version_changes_every_file_and_nothing_else(tmp_path: Path) -> None:
    for file in VERSION["PLACES"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, tmp_path / file)
    VERSION["write"]("7.8.9", tmp_path)
    assert {version for found in VERSION["versions"](tmp_path).values() for version in found} == {"7.8.9"}
    VERSION["write"](aipc.__version__, tmp_path)
    assert all((tmp_path / file).read_text("utf-8") == (ROOT / file).read_text("utf-8") for file in VERSION["PLACES"])


def test_a_registry_s_page_has_no_link_that_needs_the_repository_around_it() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for item in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(item["pattern"], item["replacement"], text)
    assert [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith(("http", "#"))] == []
    assert "https://raw.githubusercontent.com/aipc/aipc/main/docs/images/" in text


def test_each_extra_is_tried_by_the_release() -> None:
    tried = re.search(r"^IMPORTS = \{(.*?)^\}", (ROOT / "scripts/release.py").read_text("utf-8"), re.M | re.S)
    assert tried
    extras = set(PROJECT["project"]["optional-dependencies"])
    assert set(re.findall(r'"(\w+)":', tried[1])) == extras


def test_the_extension_is_ready_for_both_registries() -> None:
    manifest = json.loads((ROOT / "package.json").read_text("utf-8"))
    assert "private" not in manifest and manifest["publisher"] and manifest["license"] == "MIT"
    assert manifest["repository"]["url"] and manifest["bugs"]["url"] and manifest["galleryBanner"]["color"]
    assert (ROOT / manifest["icon"]).is_file()
    packed = (ROOT / ".vscodeignore").read_text("utf-8").splitlines()
    assert {"!README.md", "!CHANGELOG.md", "!LICENSE"} <= set(packed)


def test_the_citation_and_the_issue_forms_are_complete() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "version"} <= set(citation)
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text("utf-8"))
        assert path.name == "config.yml" or {"name", "description", "body"} <= set(form)


def test_the_dockerfile_of_the_devcontainer_has_no_finding() -> None:
    """Versions of Debian's packages stay open: they leave its archive with each update."""
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [hadolint, "--ignore", "DL3008", ROOT / ".devcontainer" / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["build"]["dockerfile"] == "Dockerfile"


@pytest.mark.slow
def test_the_wheel_works_in_a_clean_environment_without_extras() -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "release.py", "build", "light"], check=True, timeout=280)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_works_with_every_supported_python_that_is_installed() -> None:
    command = [sys.executable, ROOT / "scripts" / "release.py", "build", "pythons"]
    done = subprocess.run(command, check=True, timeout=900, capture_output=True, text=True)
    assert "tried with every Python" in done.stdout or "not installed" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_wheel_deploys_in_a_clean_environment_and_each_extra_brings_what_it_names() -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "release.py", "build", "full"], check=True, timeout=3600)
