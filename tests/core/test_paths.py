"""In a job the author's libraries come before those that an editor brings."""

from __future__ import annotations

import sys

import pytest

from aipc.core._paths import authors_path


def test_bundled_libraries_come_last_in_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPC_LIBRARIES", "/bundle/libs")
    monkeypatch.setattr(sys, "path", ["/bundle/server", "/bundle/libs", "/env/site-packages"])
    assert authors_path() == ["/bundle/server", "/env/site-packages", "/bundle/libs"]


def test_bundled_libraries_are_there_when_the_process_was_started_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPC_LIBRARIES", "/bundle/libs")
    monkeypatch.setattr(sys, "path", ["/bundle/server", "/env/site-packages"])
    assert authors_path() == ["/bundle/server", "/env/site-packages", "/bundle/libs"]


def test_without_a_bundle_the_path_is_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIPC_LIBRARIES", raising=False)
    monkeypatch.setattr(sys, "path", ["/a", "/b"])
    assert authors_path() == ["/a", "/b"]
