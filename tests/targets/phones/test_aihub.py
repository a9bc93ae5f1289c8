"""Hosted devices: AI Hub's real client over HTTP, against a server on the loopback that runs what was uploaded."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aipc.targets.aihub import TARGET
from aipc.targets.base import DeviceContext, DeviceError, UnfitError, Work
from aipc.targets.session import execute

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def client_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has AI Hub's client and its older protobuf: this one, with other libraries before its own."""
    libraries = ROOT / ".venv" / "aihub"
    if not (libraries / "qai_hub").is_dir():
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(libraries), "qai-hub>=0.56"]
        subprocess.run(command, check=True, timeout=280)
    python = tmp_path_factory.mktemp("client") / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{libraries}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture(scope="module")
def server(client_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the server, and the directory of its state."""
    state = tmp_path_factory.mktemp("hub")
    server = subprocess.Popen(
        [str(client_python), str(Path(__file__).with_name("aihub_server.py")), str(state), sys.executable],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    port = int(server.stdout.readline())
    yield f"http://127.0.0.1:{port}", state
    server.terminate()
    server.wait(10)


@pytest.fixture
def hub(server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's state, as at its beginning; the client's configuration leads to it."""
    address, state = server
    for path in state.iterdir():
        path.unlink()
    configure(tmp_path / "client.ini", address, "token-of-the-test")
    monkeypatch.setenv("QAIHUB_CLIENT_INI", str(tmp_path / "client.ini"))
    return state


def configure(path: Path, url: str, token: str) -> None:
    path.write_text(f"[api]\napi_token = {token}\napi_url = {url}\nweb_url = {url}\nverbose = False\n")


def run(python: Path, work: Work, device: str = "Test Galaxy S24", **settings: Any):
    events: list[str] = []
    context = DeviceContext(
        lambda event: events.append(event.message),
        threading.Event(),
        {"python": str(python), "poll_seconds": 0.05, **settings},
    )
    return execute(TARGET, f"aihub:{device}", work, context), events


def test_the_package_runs_there_and_profile_and_outputs_come_back(hub, client_python, work):
    done, events = run(client_python, work, upload=True)
    with np.load(work.outputs) as outputs, np.load(work.package / "golden" / "outputs.npz") as golden:
        assert set(outputs.files) == set(golden.files)
        for name in golden.files:
            assert outputs[name].shape == golden[name].shape
            noise = np.sum((outputs[name] - golden[name].astype(np.float64)) ** 2)
            assert 1e5 * noise < np.sum(golden[name].astype(np.float64) ** 2)
    assert done.latency["measured_by"] == "AI Hub"
    assert done.latency["repetitions"] == 3
    assert done.profile == {"unit": "cycles", "measured_on": "device", "nodes": {"conv": 1234}}
    assert (done.facts.soc, done.facts.htp_arch) == ("sm8650", 75)
    assert any("uploading" in words for words in events)
    assert any("running" in words for words in events)
    binary = next(work.package.glob("*.bin")).read_bytes()
    assert any(path.read_bytes() == binary for path in hub.glob("model-*"))


def test_the_graph_is_compiled_there_when_asked(hub, client_python, work):
    done, events = run(client_python, work, upload=True, compile="there")
    assert done.environment["compiled"] == "there"
    assert any("compiling" in words for words in events)
    with np.load(work.outputs) as outputs, np.load(work.package / "golden" / "outputs.npz") as golden:
        assert np.allclose(outputs["mean"], golden["mean"], atol=0.02)
    binary = next(work.package.glob("*.bin")).read_bytes()
    assert not any(path.read_bytes() == binary for path in hub.glob("model-m*")), "the graph was uploaded"


def test_without_written_consent_nothing_is_uploaded(hub, client_python, work):
    with pytest.raises(UnfitError, match=r"uploads the model .* to Qualcomm AI Hub.*upload = true"):
        run(client_python, work)
    assert "POST" not in (hub / "requests.log").read_text()


def test_another_chip_is_refused_before_anything_is_uploaded(hub, client_python, work):
    with pytest.raises(UnfitError, match=r"\[soc\].*SM8750"):
        run(client_python, work, "Test Galaxy S25", upload=True)
    assert "POST" not in (hub / "requests.log").read_text()


def test_devices_are_named_where_none_or_a_wrong_one_was(hub, client_python, work):
    with pytest.raises(DeviceError, match=r"no device 'Toaster'.*it has Test Galaxy S24, Test Galaxy S25; name one"):
        run(client_python, work, "Toaster", upload=True)


def test_a_job_that_fails_is_told_with_the_remedy(hub, client_python, work):
    (hub / "fail").write_text("Failed to create context from binary with err 5005")
    with pytest.raises(DeviceError, match=r": run: .*another version or for another chip.*5005") as stopped:
        run(client_python, work, upload=True)
    assert "deploy again" in stopped.value.remedy
    assert "running failed on AI Hub: Failed to create context" in stopped.value.detail
    assert not work.outputs.exists()


def test_a_wrong_token_and_none_are_told(hub, client_python, work, tmp_path, monkeypatch):
    configuration = tmp_path / "client.ini"
    configuration.write_text(configuration.read_text().replace("token-of-the-test", "another"))
    with pytest.raises(DeviceError, match=r"describe: AI Hub refused: .*token") as stopped:
        run(client_python, work, upload=True)
    assert "another" not in json.dumps([str(stopped.value), stopped.value.detail]), "a token is never shown"
    monkeypatch.setenv("QAIHUB_CLIENT_INI", str(tmp_path / "absent.ini"))
    (found,) = TARGET.discover()
    assert not found.available
    assert "qai-hub configure" in found.reason


def test_a_python_without_the_client_says_how_to_get_it(hub, work):
    with pytest.raises(DeviceError, match=r"qai-hub cannot be imported.*pip install qai-hub"):
        run(Path(sys.executable), work, upload=True)
