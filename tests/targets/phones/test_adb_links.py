"""A phone at the end of a bad link, and one whose clock is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from aipc.targets.base import DeviceError

from ..proxy import Proxy
from .adb_server import adb
from .bench import Bench


def right(work) -> bool:
    with np.load(work.outputs) as outputs, np.load(work.package / "golden" / "outputs.npz") as golden:
        return all(np.allclose(outputs[name], golden[name], atol=0.05, rtol=0.01) for name in golden.files)


@pytest.fixture
def link(phone: Bench) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the phone, and the phone's name behind it."""
    proxy = Proxy(phone.phone.adbd.port)
    address = f"127.0.0.1:{proxy.port}"
    adb(phone.environment, "connect", address)
    try:
        yield proxy, f"adb:{address}"
    finally:
        proxy.mend()
        adb(phone.environment, "disconnect", address)
        proxy.close()


@pytest.mark.slow
def test_a_slow_link_takes_its_time_and_says_how_far_it_is(phone: Bench, work, link):
    proxy, name = link
    proxy.rate, proxy.delay = 4_000_000.0, 0.001
    done = phone.run(replace(work, profile=False), name=name, directory=str(phone.phone.storage / "slow"))
    assert right(work)
    assert next(step.note for step in done.steps if step.step == "push").endswith(" MB")
    assert next(step.seconds for step in done.steps if step.step == "push") > 2
    assert proxy.carried > 8_000_000
    assert phone.settled() == []


@pytest.mark.parametrize("step", ["push", "run", "pull"])
def test_a_network_that_is_cut_at_a_step_is_told_and_mended_by_the_next_run(phone: Bench, work, link, step):
    """The cut is the network's: the phone itself stays on, as one on Wi-Fi does."""
    proxy, name = link
    quick = replace(work, profile=False)
    words = {"push": "runs/*; do", "run": "input_list.txt", "pull": "number=$((number + 1))"}

    def cue(service: str) -> None:
        if words[step] in service:
            phone.phone.cue = lambda service: None
            proxy.cut()

    phone.phone.cue = cue
    with pytest.raises(DeviceError) as stopped:
        phone.run(quick, name=name)
    assert stopped.value.step == step and stopped.value.remedy
    assert not work.outputs.exists()
    assert phone.settled() == []
    proxy.mend()
    adb(phone.environment, "disconnect", name.removeprefix("adb:"))
    adb(phone.environment, "connect", name.removeprefix("adb:"))
    phone.run(quick, name=name)
    assert right(work) and phone.settled() == []


@pytest.mark.parametrize(("ahead", "words"), [(90_000, "ahead of"), (-7200, "behind")])
def test_a_clock_that_is_wrong_is_told_and_changes_nothing(phone: Bench, work, ahead: int, words: str):
    phone.phone.set_clock(ahead)
    done = phone.run(replace(work, profile=False))
    assert right(work)
    (warning,) = done.warnings
    assert warning.axis == "clock" and words in warning.message and not warning.blocks
    assert abs(done.facts.clock_skew - ahead) < 5
    assert phone.settled() == []
