"""A target is found under its name, and finding it imports no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aipc.core.errors import AipcError
from aipc.targets import all_targets, get_target


def test_every_target_is_found_by_its_scheme() -> None:
    assert {target.scheme for target in all_targets()} >= {"adb", "local", "simulator", "ssh"}
    assert all(get_target(target.scheme) is target for target in all_targets())


@pytest.mark.parametrize("name", ["shh:phone", "base", "_channel", "", "told", ".."])
def test_what_is_no_target_is_refused_with_the_names_that_are(name: str) -> None:
    with pytest.raises(AipcError, match="is not a target") as caught:
        get_target(name)
    assert "simulator" in str(caught.value.remedy)


def test_the_simulator_is_found_without_what_reaches_devices() -> None:
    code = "import sys; from aipc.targets import get_target; get_target('simulator'); print('asyncio' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "False"
