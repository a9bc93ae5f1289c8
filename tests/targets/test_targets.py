"""Targets are found by their names; the simulator tells why it is not available."""

from __future__ import annotations

import pytest

from aipc.core.errors import AipcError
from aipc.qairt import runtime
from aipc.targets import all_targets, get_target, simulator


def test_the_simulator_is_there_and_says_its_qairt():
    (found,) = get_target("simulator").discover()
    assert found.available
    assert runtime.qairt_version() in found.title


def test_without_qairt_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(simulator, "qairt_version", lambda: None)
    (found,) = get_target("simulator").discover()
    assert not found.available
    assert "pip install" in found.reason


def test_every_target_has_its_own_scheme():
    schemes = [target.scheme for target in all_targets()]
    assert len(schemes) == len(set(schemes)) > 0


def test_an_unknown_target_names_the_known():
    with pytest.raises(AipcError, match=r"targets are .*simulator"):
        get_target("toaster")
