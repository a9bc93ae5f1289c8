"""Templates are compiled once for an installation; where nothing can be written, reports are rendered all the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
import pytest

from aipc.report import notebook
from aipc.report.notebook import environment


@pytest.fixture(autouse=True)
def _fresh_environment() -> Iterator[None]:
    environment.cache_clear()
    yield
    environment.cache_clear()


def test_the_second_process_does_not_compile_the_templates_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    # Python makes the directory itself where these tests may write bytecode.
    Path(cache_from_source(notebook.__file__)).parent.mkdir(exist_ok=True)
    environment().get_template("report.html")
    environment.cache_clear()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(jinja2.Environment, "_generate", refuse)
    assert environment().get_template("report.html").name == "report.html"


def test_an_installation_that_cannot_be_written_to_renders_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert environment().bytecode_cache is None
    assert environment().get_template("report.html").name == "report.html"
