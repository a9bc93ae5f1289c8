"""Whatever happens on the way to a phone: no half package is run, nothing keeps running, the message names the step."""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import replace

import pytest

from aipc.core.hashing import hash_file
from aipc.targets._adb_files import PART_BYTES
from aipc.targets.base import DeviceError

# Step -> a word that the phone is asked for in it and before no other step.
WORDS = {
    "describe": "getprop",
    "lock": "give_back()",
    "push": "runs/*; do",
    "run": "input_list.txt",
    "pull": "number=$((number + 1))",
}


def whole(phone) -> None:
    """Every package and runtime on the phone is complete, and nobody holds anything."""
    assert phone.settled() == []
    packages = phone.phone.directory / "packages"
    for package in packages.iterdir() if packages.is_dir() else ():
        manifest = json.loads((package / "manifest.json").read_text())
        assert hash_file(package / "context.bin") in manifest["files"].values()
    runtimes = phone.phone.directory / "runtime"
    for runtime in runtimes.iterdir() if runtimes.is_dir() else ():
        assert len(list(runtime.iterdir())) == 6, "five files and their hashes"
        assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=runtime).returncode == 0


def outputs_are_absent(work) -> None:
    assert not work.outputs.exists(), "no result may stand where none was made"


@pytest.mark.parametrize("step", WORDS)
def test_the_cable_is_pulled_at_each_step(phone, work, step):
    phone.phone.unplug_at(WORDS[step])
    with pytest.raises(DeviceError) as stopped:
        phone.run(replace(work, profile=False))
    assert stopped.value.step == step
    assert f": {step}: " in str(stopped.value)
    assert stopped.value.remedy
    outputs_are_absent(work)
    whole(phone)


def test_a_phone_that_goes_when_all_is_done_takes_nothing_back(phone, work):
    sweeps = []

    def cue(service: str) -> None:
        if "runs/*; do" in service:
            sweeps.append(service)
            if len(sweeps) == 2:  # before the push, and at the end
                phone.phone.adbd.unplug()

    phone.phone.cue = cue
    phone.run(replace(work, profile=False))
    assert work.outputs.is_file()
    whole(phone)


@pytest.mark.parametrize("after", [0.0, 0.8])
def test_the_cable_is_pulled_while_qnn_net_run_runs(phone, work, after):
    (phone.phone.root / "stop").write_text("20")
    phone.phone.unplug_at("--retrieve_context", after=after)
    with pytest.raises(DeviceError, match=": run: the connection to the phone broke off"):
        phone.run(work)
    outputs_are_absent(work)
    whole(phone)


def test_the_cable_is_pulled_in_the_profiling_run(phone, work):
    phone.phone.unplug_at("profiled")
    with pytest.raises(DeviceError, match=": profile: "):
        phone.run(work)
    outputs_are_absent(work)
    whole(phone)


@pytest.mark.parametrize("count", [1, 60_000, 4_500_000, 8_500_000])
def test_a_push_that_is_cut_is_taken_up_where_it_stopped(phone, work, count):
    phone.phone.unplug_after(count)
    with pytest.raises(DeviceError) as stopped:
        phone.run(work, directory=str(phone.phone.storage / f"cut {count}"))
    assert stopped.value.step in {"discover", "describe", "setup", "push"}
    phone.reset()
    sent = []
    phone.phone.adbd.received = sent.append
    (phone.phone.root / "say").write_text("stop here")
    with pytest.raises(DeviceError, match=": run: "):
        phone.run(work, directory=str(phone.phone.storage / f"cut {count}"))
    size = next(work.package.glob("*.bin")).stat().st_size
    kept = count // PART_BYTES * PART_BYTES
    assert sum(sent) < size + 300_000 - kept, "what was pushed is not pushed again"
    outputs_are_absent(work)


def test_a_full_phone_is_told_before_and_while_pushing(phone, work):
    where = str(phone.phone.storage / "full")
    phone.phone.set_free(50 << 20)
    with pytest.raises(DeviceError, match=r"preflight: \[space\]"):
        phone.run(work, directory=where)
    phone.phone.set_free(20 << 30)

    def fills(service: str) -> None:
        if "runs/*; do" in service:  # something else fills it meanwhile
            phone.phone.set_free(3 << 20)

    phone.phone.cue = fills
    with pytest.raises(DeviceError, match=r": push: the phone is full: [0-9.]+ MB are free — free some space"):
        phone.run(work, directory=where)
    assert phone.settled() == []
    assert not list((phone.phone.storage / "full" / "packages").rglob("context.bin"))
    outputs_are_absent(work)


def test_a_restart_of_the_phone_while_it_runs(phone, work):
    (phone.phone.root / "stop").write_text("20")

    def cue(service: str) -> None:
        if "--retrieve_context" in service:
            phone.phone.cue = lambda service: None
            threading.Timer(0.5, phone.phone.restart).start()

    phone.phone.cue = cue
    with pytest.raises(DeviceError, match=": run: "):
        phone.run(work)
    outputs_are_absent(work)
    (phone.phone.root / "stop").unlink()
    phone.reset()
    phone.run(replace(work, profile=False))
    whole(phone)


def test_qnn_net_run_is_killed(phone, work):
    (phone.phone.root / "stop").write_text("20")
    killers = []

    def kill() -> None:
        for process in list(phone.phone._processes):
            if "--retrieve_context" in " ".join(process.args):
                process.kill()

    def cue(service: str) -> None:
        if "--retrieve_context" in service:
            killers.append(threading.Timer(0.5, kill))
            killers[-1].start()

    phone.phone.cue = cue
    with pytest.raises(DeviceError, match=r": run: qnn-net-run stopped with status 137"):
        phone.run(work)
    outputs_are_absent(work)
    whole(phone)


def test_after_all_this_the_phone_is_as_good_as_new(phone, work):
    phone.run(work)
    assert work.outputs.is_file()
    whole(phone)
