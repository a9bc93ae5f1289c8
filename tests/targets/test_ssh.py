"""A real OpenSSH server as the device: what is refused before it runs, what hostile names do, whose key is trusted."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aipc.core.errors import AipcError
from aipc.core.hashing import hash_file
from aipc.targets import RunOptions, SetupNeededError, UnfitError, get_target
from aipc.targets._ssh_connection import HostKeyChangedError, parse
from aipc.targets._ssh_names import configured_hosts
from aipc.targets.base import DeviceContext, DeviceError
from aipc.targets.jobs import describe, execute

from .bench import Bench
from .device import TestDevice


def copy(package: Path, place: Path, **manifest: object) -> Path:
    """A copy of the package with a changed manifest."""
    shutil.copytree(package, place)
    path = place / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | manifest))
    return place


def test_a_run_has_the_outputs_of_pytorch_host_times_and_no_latency(bench: Bench):
    outcome = bench.run()
    bench.check(outcome)
    assert outcome.error is None, str(outcome.error)
    run = outcome.run
    assert run.latency is None and run.facts.simulated and run.profile["measured_on"] == "host"
    assert [step.step for step in run.steps] == [
        "discover",
        "describe",
        "preflight",
        "lock",
        "push",
        "run",
        "profile",
        "pull",
        "clean",
        "unlock",
    ]
    assert run.environment["qairt"] and run.environment["onnxruntime"]
    bench.settled()
    bench.tidy()


def test_a_second_run_pushes_nothing_again(bench: Bench):
    bench.run(profile=False)
    again = bench.run(profile=False)
    assert next(step.note for step in again.run.steps if step.step == "push") == "is there already, whole"


def test_what_another_package_on_the_device_has_is_not_pushed_again(bench: Bench, package: Path, tmp_path: Path):
    bench.run(profile=False)
    before = bench.proxy.carried
    outcome = bench.run(package=copy(package, tmp_path / "again", note="x" * 10), profile=False)
    bench.check(outcome)
    note = next(step.note for step in outcome.run.steps if step.step == "push")
    assert outcome.error is None and "of them were there" in note, note
    assert bench.proxy.carried > before


def test_a_package_for_another_soc_is_refused_before_it_is_pushed(bench: Bench):
    bench.forget()
    bench.device.declare("sm8750")
    try:
        outcome = bench.run()
    finally:
        bench.device.declare(None)
    assert isinstance(outcome.error, UnfitError) and outcome.error.step == "preflight"
    assert "[soc] the package was compiled for sm8650 and this device is SM8750" in str(outcome.error)
    command = f"aipc deploy model.py:Small --soc sm8750 --target {bench.device.target}"
    assert outcome.error.remedy == f"compile for this device: {command}" and "[htp_arch]" in str(outcome.error)
    assert outcome.error.soc == pickle.loads(pickle.dumps(outcome.error)).soc == "sm8750"
    assert not (bench.device.base / "packages").exists()


def test_a_package_of_another_qairt_is_refused_before_it_is_pushed(bench: Bench, package: Path, tmp_path: Path):
    bench.forget()
    outcome = bench.run(package=copy(package, tmp_path / "newer", qairt="99.1.0"))
    assert isinstance(outcome.error, UnfitError)
    assert "[qairt] the package was compiled with QAIRT 99.1.0 and the device has" in str(outcome.error)
    assert not (bench.device.base / "packages").exists()


def test_a_flipped_byte_here_is_refused_before_anything_is_pushed(bench: Bench, package: Path, tmp_path: Path):
    from aipc import engine

    bench.forget()
    damaged = copy(package, tmp_path / "damaged")
    flip(next(damaged.glob("*.bin")))
    with pytest.raises(AipcError, match=r"\.bin is damaged"):
        engine.run_package(damaged, None, tmp_path / "out.npz", bench.device.target)
    assert not (bench.device.base / "packages").exists()


def test_a_flipped_byte_on_the_device_is_found_and_the_file_brought_again(bench: Bench):
    bench.run(profile=False)
    installed = next(bench.device.base.glob("packages/*/*.bin"))
    before = hash_file(installed)
    flip(installed)
    outcome = bench.run(profile=False)
    bench.check(outcome)
    assert outcome.error is None and hash_file(installed) == before


def test_a_flipped_byte_that_comes_after_the_check_is_refused_by_the_runner(bench: Bench):
    bench.run(profile=False)
    installed = next(bench.device.base.glob("packages/*/*.bin"))
    outcome = bench.run({"run": lambda: flip(installed)}, profile=False)
    assert outcome.error is not None and outcome.error.step == "run"
    assert f"{installed.name} is damaged" in str(outcome.error)
    bench.forget()


def test_a_rest_that_is_not_what_it_seems_is_pushed_from_its_beginning(bench: Bench, package: Path):
    bench.forget()
    staging = bench.device.base / "staging" / f"packages-{hash_file(package / 'manifest.json')[:40]}"
    staging.mkdir(parents=True)
    binary = next(package.glob("*.bin"))
    (staging / binary.name).write_bytes(b"\0" * (binary.stat().st_size // 2))
    outcome = bench.run(profile=False)
    bench.check(outcome)
    assert outcome.error is None, str(outcome.error)
    bench.settled()
    bench.tidy()


def test_a_push_that_was_cut_goes_on_where_it_stopped(bench: Bench, package: Path, tmp_path: Path):
    bench.forget()
    large = copy(package, tmp_path / "large")
    (large / "golden" / "more.bin").write_bytes(np.random.default_rng(0).bytes(4_000_000))
    manifest = json.loads((large / "manifest.json").read_text())
    manifest["files"]["golden/more.bin"] = hash_file(large / "golden" / "more.bin")
    (large / "manifest.json").write_text(json.dumps(manifest))

    def cut_in_the_middle() -> None:
        bench.proxy.cut_after = bench.proxy.carried + 2_500_000

    outcome = bench.run({"push": cut_in_the_middle}, package=large, profile=False)
    bench.check(outcome)
    assert outcome.error is not None and outcome.error.step == "push"
    bench.settled()
    again = bench.run(package=large, profile=False)
    assert again.error is None, str(again.error)
    note = next(step.note for step in again.run.steps if step.step == "push")
    assert "MB of them were there" in note, note
    bench.settled()
    bench.tidy()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


HOSTILE = "a b'c\"d; touch pwned; $(touch pwned) `touch pwned` & ü 模型 -rf"


def test_hostile_names_reach_no_shell(bench: Bench, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In the model, the package's path, its files, its inputs and outputs, and the device's directory."""
    monkeypatch.chdir(tmp_path)
    place = copy(package, tmp_path / HOSTILE, model=HOSTILE)
    (place / HOSTILE).mkdir()
    (place / HOSTILE / "x; touch pwned.txt").write_text("hello")
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["files"][f"{HOSTILE}/x; touch pwned.txt"] = hash_file(place / HOSTILE / "x; touch pwned.txt")
    (place / "manifest.json").write_text(json.dumps(manifest))
    outputs = tmp_path / f"{HOSTILE}.npz"
    directory = bench.device.directory / HOSTILE
    options = RunOptions(settings={**bench.settings, "directory": str(directory)}, journal=str(tmp_path / "j"))
    run = execute(
        lambda event: None,
        target=bench.device.target,
        package=str(place),
        inputs=str(place / "golden" / "inputs.npz"),
        outputs=str(outputs),
        options=options,
    )
    bench.right(outputs)
    assert run.facts.extra["directory"] == str(directory)
    assert list(directory.glob(f"packages/*/{glob_escape(HOSTILE)}/x; touch pwned.txt"))
    for root in (tmp_path, bench.device.directory, Path.home()):
        assert not list(root.rglob("pwned")), "a name was taken for a command"
    assert not Path("/root/pwned").exists()


def glob_escape(text: str) -> str:
    import glob

    return glob.escape(text)


def test_a_file_name_that_leaves_its_directory_is_refused(bench: Bench, package: Path, tmp_path: Path):
    place = copy(package, tmp_path / "escaping")
    (tmp_path / "outside").write_text("x")
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["files"]["../outside"] = hash_file(tmp_path / "outside")
    (place / "manifest.json").write_text(json.dumps(manifest))
    outcome = bench.run(package=place, profile=False)
    assert outcome.error is not None and outcome.error.step == "push"
    assert not (bench.device.base / "packages" / "outside").exists()


@pytest.mark.parametrize(
    "name",
    [
        "ssh:",
        "ssh:-oProxyCommand=touch pwned",
        "ssh:host; touch pwned",
        "ssh:$(touch pwned)",
        "ssh:`touch pwned`",
        "ssh:a b",
        "ssh:a'b",
        'ssh:a"b',
        "ssh:user;x@host",
        "ssh:host|x",
        "ssh:../host",
        "ssh:host\ntouch pwned",
    ],
)
def test_what_cannot_be_a_host_is_refused(name: str):
    with pytest.raises(DeviceError, match="is not the name of a host"):
        get_target("ssh").open(name, DeviceContext(lambda event: None))


def test_hosts_are_named_as_ssh_names_them():
    assert parse("ssh:board") == ("board", None, None)
    assert parse("ssh:ann@board.local:2222") == ("board.local", "ann", 2222)
    assert parse("ssh:[fe80::1]:22") == ("fe80::1", None, 22)
    assert parse("ssh:fe80::1") == ("fe80::1", None, None)


def test_the_hosts_of_the_users_configuration_are_offered(tmp_path: Path):
    (tmp_path / "more").write_text("Host third\n")
    (tmp_path / "config").write_text(f'Host first "second" *.example !no\nHost=fourth\nInclude {tmp_path}/mor*\n')
    assert list(configured_hosts(tmp_path / "config")) == ["first", "second", "fourth", "third"]


def fails(device: TestDevice, **settings: object) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        get_target("ssh").open(
            device.target, DeviceContext(lambda event: None, settings={"connect_seconds": 10, **settings})
        )
    return caught.value


def test_a_changed_host_key_stops_with_the_standard_warning(bench: Bench):
    device = bench.device
    etc = device.directory / "etc"
    kept = (etc / "host_key").read_bytes(), (etc / "host_key.pub").read_bytes()
    device.key(etc / "host_key")
    device.reboot()
    try:
        error = fails(device)
        assert isinstance(error, HostKeyChangedError)
        assert "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!" in str(error)
        assert "SHA256:" in str(error) and f"ssh-keygen -R {device.name}" in error.remedy
        assert not device.processes("stdin.buffer"), "something was run on a host that nobody trusts"
        # OpenSSH says the same.
        command = ["ssh", "-F", str(device.ssh / "config"), "-o", "BatchMode=yes", "-o"]
        command += [f"UserKnownHostsFile={device.ssh / 'known_hosts'}", "-i", str(device.ssh / "id_ed25519")]
        said = subprocess.run([*command, device.name, "true"], capture_output=True, text=True)
        assert "REMOTE HOST IDENTIFICATION HAS CHANGED!" in said.stderr
    finally:
        (etc / "host_key").write_bytes(kept[0])
        (etc / "host_key.pub").write_bytes(kept[1])
        device.reboot()


@pytest.mark.parametrize("known", ["", "none"])
def test_an_unknown_host_is_never_accepted(bench: Bench, known: str):
    device = bench.device
    (device.ssh / "known_hosts").write_text("")
    if known:
        with (device.ssh / "config").open("a") as stream:
            stream.write("  UserKnownHostsFile none\n")
    try:
        error = fails(device)
        assert "is not known here; its key is" in str(error) and f"`ssh {device.name}`" in error.remedy
        assert (device.ssh / "known_hosts").read_text() == ""
    finally:
        device.know()
        device.reach(bench.proxy.port)


def test_a_key_that_is_not_accepted_says_what_to_do(bench: Bench):
    device = bench.device
    allowed = device.directory / "etc" / "authorized_keys"
    kept = allowed.read_text()
    allowed.write_text("")
    try:
        error = fails(device)
        assert "accepts none of your keys" in str(error) and "ssh-add" in error.remedy
    finally:
        allowed.write_text(kept)


def test_a_key_in_the_agent_is_used(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    device = bench.device
    socket = device.directory / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    moved = device.ssh / "elsewhere"
    try:
        environment = {"SSH_AUTH_SOCK": str(socket), "PATH": "/usr/bin:/bin"}
        for _ in range(50):
            added = subprocess.run(["ssh-add", str(device.ssh / "id_ed25519")], env=environment, capture_output=True)
            if added.returncode == 0:
                break
        (device.ssh / "id_ed25519").rename(moved)
        assert "accepts none of your keys" in str(fails(device))
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        assert describe(lambda event: None, target=device.target, settings=bench.settings).available
    finally:
        if moved.exists():
            moved.rename(device.ssh / "id_ed25519")
        agent.kill()
        agent.wait()


def test_a_jump_host_of_the_configuration_is_used(bench: Bench):
    device = bench.device
    with (device.ssh / "config").open("a") as stream:
        stream.write(f"Host behind\n  HostName 127.0.0.1\n  Port {device.port}\n  ProxyJump {device.name}\n")
        stream.write(f"  IdentityFile ~/.ssh/id_ed25519\n  HostKeyAlias {device.name}\n")
    try:
        carried = bench.proxy.carried
        assert describe(lambda event: None, target="ssh:behind", settings=bench.settings).available
        assert bench.proxy.carried > carried, "the jump host was passed by"
    finally:
        device.reach(bench.proxy.port)


def test_a_host_that_is_off_is_described_with_the_reason(bench: Bench):
    bench.device.power_off()
    try:
        found = describe(lambda event: None, target=bench.device.target, settings={"connect_seconds": 5})
        assert not found.available and "discover: " in found.reason and "reached" in found.reason
    finally:
        bench.device.start()


def test_a_device_without_python_says_which_to_install(bench: Bench):
    with bench.device.with_environment(PATH="/nothing/here"):
        error = fails(bench.device)
    assert "has no Python 3.8 or newer" in str(error) and "apt install python3" in error.remedy


def test_a_clock_that_is_wrong_is_told_and_changes_nothing(bench: Bench, tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("import time\nreal = time.time\ntime.time = lambda: real() + 90000\n")
    with bench.device.with_environment(PYTHONPATH=str(tmp_path)):
        outcome = bench.run(profile=False)
    bench.check(outcome)
    assert outcome.error is None, str(outcome.error)
    (warning,) = outcome.run.warnings
    assert warning.axis == "clock" and "ahead of" in warning.message


def test_a_device_that_lacks_the_libraries_is_left_as_it_is_without_consent(bench: Bench):
    outcome = bench.run(settings={"silence": 5})
    assert isinstance(outcome.error, SetupNeededError) and outcome.error.step == "preflight"
    assert "onnxruntime-qnn" in str(outcome.error) and "--setup" in outcome.error.remedy
    assert not (bench.device.base / "env").exists()


def test_a_python_of_the_configuration_that_lacks_them_is_told(bench: Bench):
    plain = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if plain is None or subprocess.run([plain, "-c", "import onnxruntime"], capture_output=True).returncode == 0:
        pytest.skip("there is no Python without onnxruntime")
    outcome = bench.run(settings={"python": plain, "silence": 5})
    assert outcome.error is not None and outcome.error.step == "describe" and "lacks onnxruntime" in str(outcome.error)


def test_the_command_says_what_a_device_is_and_whether_a_package_fits(bench: Bench, package: Path, tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.aipc.targets."{bench.device.target}"]\npython = {json.dumps(sys.executable)}\n'
    )
    bench.device.declare("sm8750")
    command = [sys.executable, "-m", "aipc", "targets", bench.device.target, "--package", str(package), "--json"]
    try:
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    finally:
        bench.device.declare(None)
    assert finished.returncode == 1, finished.stderr
    found = json.loads(finished.stdout)
    assert found["description"]["facts"]["soc"] == "sm8750"
    assert {"soc", "htp_arch"} <= {item["axis"] for item in found["mismatches"]}
