"""What stays on a phone between runs: packages up to a number, and a runtime that is checked before it is used."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from aipc.targets._adb_device import PACKAGES_KEPT
from aipc.targets._adb_runtime import RUNTIMES_KEPT
from aipc.targets.base import DeviceError, SetupNeededError


@pytest.fixture
def quick(work):
    return replace(work, profile=False)


def old(directory: Path, names: list[str]) -> None:
    """Directories that were last used long ago, the first of them longest ago."""
    for day, name in enumerate(names):
        (directory / name).mkdir(parents=True)
        (directory / name / "manifest.json").write_text("{}")
        os.utime(directory / name, (86400 * day, 86400 * day))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_packages_and_runtimes_that_were_not_used_for_longest_are_removed(phone, quick):
    place = phone.phone.storage / "kept"
    phone.run(quick, directory=str(place))
    (mine,) = (place / "packages").iterdir()
    (runtime,) = (place / "runtime").iterdir()
    os.utime(mine, (0, 0))  # pushed before all others, and used now
    os.utime(runtime, (0, 0))
    packages = [f"old-{number}" for number in range(PACKAGES_KEPT + 2)]
    runtimes = [f"2.{number}.0-v75" for number in range(RUNTIMES_KEPT + 1)]
    old(place / "packages", packages)
    old(place / "runtime", runtimes)
    phone.run(quick, directory=str(place))
    assert {path.name for path in (place / "packages").iterdir()} == {mine.name, *packages[3:]}
    assert {path.name for path in (place / "runtime").iterdir()} == {runtime.name, *runtimes[2:]}
    assert phone.settled() == []


@pytest.mark.parametrize("name", ["libQnnHtp.so", "qnn-net-run", "libQnnHtpV75Skel.so"])
def test_a_damaged_runtime_is_named_and_brought_again_with_consent(phone, quick, name):
    phone.run(quick)
    (runtime,) = (phone.phone.directory / "runtime").glob("*-v75")
    before = (runtime / name).read_bytes()
    flip(runtime / name)
    with pytest.raises(SetupNeededError, match=rf"lacks an undamaged QAIRT .*{name} is not what the SDK has.*--setup"):
        phone.run(quick, setup=False)
    done = phone.run(quick)
    assert "setup" in {step.step for step in done.steps}
    assert (runtime / name).read_bytes() == before
    assert os.access(runtime / "qnn-net-run", os.X_OK)
    assert phone.settled() == []


def test_without_an_sdk_the_runtime_is_held_against_the_hashes_beside_it(phone, quick, monkeypatch):
    place = phone.phone.storage / "no sdk"
    phone.run(quick, directory=str(place))
    monkeypatch.delenv("QAIRT_SDK_ROOT")
    done = phone.run(quick, directory=str(place))
    assert "not measured" in done.environment["latency"], "its log is read by the SDK's viewer"
    (runtime,) = (place / "runtime").iterdir()
    flip(runtime / "libQnnSystem.so")
    with pytest.raises(DeviceError, match=r"describe: libQnnSystem\.so of QAIRT on the phone is damaged") as stopped:
        phone.run(quick, directory=str(place))
    assert "QAIRT_SDK_ROOT" in stopped.value.remedy
    assert json.loads((phone.phone.root / "net_run.json").read_text())["libraries"] == str(runtime)
