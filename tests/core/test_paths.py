"""In a job the author's libraries come before those that an editor brings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import aipc
from aipc.core._paths import authors_path

OWN = str(Path(aipc.__file__).resolve().parents[1])


def test_bundled_libraries_come_last_in_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPC_LIBRARIES", "/bundle/libs")
    monkeypatch.setattr(sys, "path", [OWN, "/bundle/libs", "/env/site-packages"])
    assert authors_path() == [OWN, "/env/site-packages", "/bundle/libs"]


def test_bundled_libraries_are_there_when_the_process_was_started_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPC_LIBRARIES", "/bundle/libs")
    monkeypatch.setattr(sys, "path", [OWN, "/env/site-packages"])
    assert authors_path() == [OWN, "/env/site-packages", "/bundle/libs"]


def test_without_a_bundle_the_path_is_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIPC_LIBRARIES", raising=False)
    monkeypatch.setattr(sys, "path", ["/a", OWN, "/b"])
    assert authors_path() == ["/a", OWN, "/b"]


def test_our_own_package_is_found_where_only_the_working_directory_had_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIPC_LIBRARIES", raising=False)
    monkeypatch.setattr(sys, "path", ["/a"])
    assert authors_path() == ["/a", OWN]
