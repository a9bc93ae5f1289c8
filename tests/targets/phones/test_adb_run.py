"""A package on a phone, from finding it to its outputs: Debian's adb, the real protocol, the simulator as the NPU."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace

import numpy as np
import pytest

from aipc.qairt.runtime import qairt_version
from aipc.targets._adb_link import choose, command
from aipc.targets.adb import TARGET
from aipc.targets.base import DeviceError, SetupNeededError, UnfitError

from .adb_server import adb
from .phone import Phone
from .sdk import make_sdk


def test_a_package_runs_and_gives_pytorch_s_numbers(phone, work):
    done = phone.run(work)
    with np.load(work.outputs) as outputs, np.load(work.package / "golden" / "outputs.npz") as golden:
        assert set(outputs.files) == set(golden.files) == {"map", "mean", "best", "wide"}
        for name in golden.files:
            assert outputs[name].dtype == golden[name].dtype
            assert outputs[name].shape == golden[name].shape
            noise = np.sum((outputs[name] - golden[name].astype(np.float64)) ** 2)
            assert 1e5 * noise < np.sum(golden[name].astype(np.float64) ** 2), f"{name} is within 50 dB"
    assert (done.facts.soc, done.facts.htp_arch, done.facts.system) == ("sm8650", 75, "android")
    assert done.latency["repetitions"] == 3
    assert done.latency["p50_ms"] <= done.latency["p99_ms"] <= done.latency["max_ms"]
    assert {"conv", "relu", "wide"} & set(done.profile["nodes"])
    steps = [step.step for step in done.steps]
    assert [step for step in steps if step in {"lock", "push", "run", "profile", "pull", "clean", "unlock"}] == [
        "lock",
        "push",
        "run",
        "profile",
        "pull",
        "clean",
        "unlock",
    ]
    assert phone.files("runs") == []
    assert phone.settled() == []


def test_what_is_there_is_not_pushed_again(phone, work):
    phone.run(replace(work, profile=False))
    done = phone.run(replace(work, profile=False))
    assert next(step.note for step in done.steps if step.step == "push") == "there already"
    assert "setup" not in {step.step for step in done.steps}


def test_qnn_net_run_is_asked_as_its_documentation_says(phone, work):
    phone.run(replace(work, profile=False))
    asked = json.loads((phone.phone.root / "net_run.json").read_text())
    given = dict(zip(asked["arguments"], asked["arguments"][1:], strict=False))
    runtime = given["--backend"].removesuffix("/libQnnHtp.so")
    assert asked["input_list"] == "x:=input_0.raw\n"
    assert given["--retrieve_context"].endswith("/context.bin")
    assert given["--num_inferences"] == "4", "one to warm up, three measured"
    assert given["--perf_profile"] == "burst"
    assert {"--use_native_input_files", "--use_native_output_files"} <= set(asked["arguments"])
    assert asked["libraries"] == runtime
    assert asked["adsp"].split(";")[0] == runtime, "the SDK's skel comes before the phone's own"
    assert asked["directory"].startswith(str(phone.settings["directory"]) + "/runs/")


def test_without_consent_nothing_is_brought(phone, work, monkeypatch, tmp_path):
    monkeypatch.setenv("QAIRT_SDK_ROOT", str(make_sdk(tmp_path / "other", "2.99.0")))
    with pytest.raises(SetupNeededError, match=r"lacks QAIRT 2\.99\.0 \(qnn-net-run.*--setup"):
        phone.run(work, setup=False)
    assert not any("2.99.0" in name for name in phone.files("runtime"))


def test_an_older_qairt_on_the_phone_is_refused_before_anything_is_pushed(phone, work, monkeypatch, tmp_path):
    monkeypatch.setenv("QAIRT_SDK_ROOT", str(make_sdk(tmp_path / "old", "2.31.0")))
    with pytest.raises(UnfitError, match=r"\[qairt\].*2\.31\.0"):
        phone.run(work)
    assert not any("2.31.0" in name for name in phone.files("staging") + phone.files("runtime"))


def test_another_chip_is_refused_with_the_way_out(phone, work):
    phone.phone.set_property("ro.soc.model", "SM8750-AC")
    with pytest.raises(UnfitError, match=r"\[soc\].*sm8650.*SM8750") as stopped:
        phone.run(work)
    assert "--soc sm8750" in stopped.value.remedy


def test_a_chip_that_qairt_does_not_know_is_said_so(phone, work):
    phone.phone.set_property("ro.soc.model", "Tensor G5")
    phone.phone.set_property("ro.soc.manufacturer", "Google")
    with pytest.raises(DeviceError, match=r"describe: the phone calls its chip Tensor G5 of Google") as stopped:
        phone.run(work)
    assert "soc =" in stopped.value.remedy


def test_a_flipped_byte_on_the_phone_is_pushed_again_not_run(phone, work):
    phone.run(replace(work, profile=False))
    (binary,) = (phone.phone.storage / "aipc" / "packages").rglob("context.bin")
    content = bytearray(binary.read_bytes())
    content[len(content) // 2] ^= 1
    binary.write_bytes(content)
    done = phone.run(replace(work, profile=False))
    assert next(step.note for step in done.steps if step.step == "push") != "there already"
    assert binary.read_bytes() == next(work.package.glob("*.bin")).read_bytes()


def test_a_qnn_error_of_the_phone_is_translated(phone, work):
    (phone.phone.root / "say").write_text("[ ERROR ] Failed to create context from binary with err 0x138d")
    with pytest.raises(DeviceError, match=r"run: .*compiled by another version or for another chip.*5005") as stopped:
        phone.run(work)
    assert "deploy again" in stopped.value.remedy
    assert phone.settled() == []


def test_states_are_told_in_one_sentence(phone, work):
    assert [(item.name, item.available) for item in TARGET.discover()] == [(phone.name, True)]
    phone.disconnect()
    (nothing,) = TARGET.discover()
    assert "USB debugging" in nothing.reason
    with pytest.raises(DeviceError, match=r"ADB does not see .*; it sees no phone"):
        phone.run(work)
    phone.phone.adbd.allowed.clear()
    phone.connect()
    (refused,) = TARGET.discover()
    assert not refused.available
    assert "has not allowed this computer" in refused.reason
    with pytest.raises(DeviceError, match="discover: it has not allowed this computer to debug it"):
        phone.run(work)


def test_without_a_server_or_a_sdk_the_remedy_is_named(phone, work, monkeypatch, tmp_path):
    monkeypatch.delenv("QAIRT_SDK_ROOT")
    with pytest.raises(DeviceError, match=r"no QAIRT SDK is named.*set QAIRT_SDK_ROOT"):
        phone.run(work, directory=str(phone.phone.storage / "elsewhere"))
    monkeypatch.setenv("QAIRT_SDK_ROOT", str(tmp_path))
    with pytest.raises(DeviceError, match="is no QAIRT SDK"):
        phone.run(work)
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    (absent,) = TARGET.discover()
    assert "adb start-server" in absent.reason


def test_hostile_names_stay_arguments(phone, work, tmp_path):
    name = "$(touch pwned); rm -rf \"'` & | \u00fc \n"
    manifest = {**work.manifest, "model": name}
    where = f"{phone.phone.storage}/a 'b' $(touch pwned) \u00fc&"
    phone.run(replace(work, manifest=manifest, profile=False), directory=where)
    assert not list(phone.phone.root.rglob("pwned"))
    shells = [service for service in phone.phone.services if service.startswith("shell")]
    assert any("pwned" in service for service in shells)
    for service in shells:
        if "pwned" in service:
            # The shell sees our script and its arguments, whole, whatever is in them.
            words = shlex.split(service.partition(":")[2])
            assert words[:3] == ["exec", "sh", "-c"]
            assert "pwned" not in words[3]
    assert shlex.split(command("echo", [name]))[-1] == name


def test_a_directory_that_would_break_library_paths_is_refused(phone, work):
    with pytest.raises(DeviceError, match="is no directory for a phone"):
        phone.run(work, directory="/data/local/tmp/a;b")


def test_two_deployments_wait_for_each_other_and_the_lock_goes_with_its_holder(phone, work):
    from aipc.targets._adb_link import Link
    from aipc.targets._adb_lock import PhoneLock
    from aipc.targets.lock import is_stale, new_owner

    place = f"{phone.settings['directory']}/lock"
    first, second = PhoneLock(Link(phone.phone.adbd.address), place), PhoneLock(Link(phone.phone.adbd.address), place)
    ann, bob = new_owner(), new_owner()
    assert first.take(ann, "") is None
    holder = second.take(bob, "")
    assert (holder.owner, holder.alive) == (ann, True)
    with pytest.raises(DeviceError, match=f"lock: the device is in use by {ann.who}"):
        phone.run(work, patience=0.2)
    first.close()  # the host dies: its connection ends
    assert phone.settled() == []
    assert second.take(bob, "") is None
    phone.phone.restart()  # nobody could give back
    phone.disconnect()
    phone.connect()
    third = PhoneLock(Link(phone.phone.adbd.address), place)
    left = third.take(ann, "")
    assert is_stale(left)
    assert third.take(ann, "another token") is not None, "only the lock that was seen is broken"
    assert third.take(ann, left.owner.token) is None
    third.give_back(ann)
    assert phone.settled() == []


def test_a_phone_with_a_python_of_its_own_runs_the_whole_package(phone, work):
    done = phone.run(replace(work, profile=False), setup=False, python=sys.executable)
    with np.load(work.outputs) as outputs, np.load(work.package / "golden" / "outputs.npz") as golden:
        assert np.allclose(outputs["mean"], golden["mean"], atol=0.02)
    assert done.latency is None, "its machine is an x86, and says so"
    assert done.facts.qairt == qairt_version()
    with pytest.raises(DeviceError, match=r"describe: the phone's /bin/sh does not import onnxruntime"):
        phone.run(work, python="/bin/sh")
    assert phone.settled() == []


def test_of_several_phones_one_is_to_be_named(phone, tmp_path):
    other = Phone(tmp_path.resolve() / "other")
    try:
        adb(phone.environment, "connect", other.adbd.address)
        with pytest.raises(DeviceError, match=r"several phones: 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+") as stopped:
            choose("")
        assert "for example adb:127.0.0.1:" in stopped.value.remedy
        assert choose(other.adbd.address) == other.adbd.address
    finally:
        adb(phone.environment, "disconnect", other.adbd.address)
        other.close()
    assert choose("") == phone.phone.adbd.address


def test_adb_of_debian_agrees_about_the_phone(phone):
    assert adb(phone.environment, "-s", phone.phone.adbd.address, "get-state") == "device"
