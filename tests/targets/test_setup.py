"""A device that has nothing but Python: its libraries come from wheels; a set-up that is cut short leaves none."""

from __future__ import annotations

import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aipc.targets import get_target
from aipc.targets._wheels import download, wanted
from aipc.targets.base import DeviceContext

from .bench import Bench
from .test_faults import Act, cut, disk_full, helper_killed, reboot, silence, small_disk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

__all__ = ["small_disk"]


@pytest.fixture(scope="module")
def bare(device, package):
    with Bench(device, package, {"silence": 5}) as bench:
        yield bench


def cut_in_the_wheels(bench: Bench, step: str) -> Iterator[Act]:
    def act() -> None:
        bench.proxy.cut_after = bench.proxy.carried + 30_000_000

    yield act


def killed_while_it_installs(bench: Bench, step: str) -> Iterator[Act]:
    done = threading.Event()

    def hunt() -> None:
        while not done.is_set():
            for process in bench.device.processes("--find-links"):
                if "install" in process.cmdline():
                    process.send_signal(signal.SIGKILL)
                    return
            time.sleep(0.05)

    hunter = threading.Thread(target=hunt)
    yield hunter.start
    done.set()
    hunter.join()


FAULTS = {
    "cut": cut,
    "silence": silence,
    "reboot": reboot,
    "helper_killed": helper_killed,
    "disk_full": disk_full,
    "cut_in_the_wheels": cut_in_the_wheels,
    "killed_while_it_installs": killed_while_it_installs,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_set_up_is_told_and_leaves_no_half_environment(bare: Bench, fault: str):
    doing = FAULTS[fault](bare, "setup")
    act = next(doing)
    try:
        outcome = bare.run({"setup": act}, consent=True)
        bare.check(outcome)
        assert outcome.error is not None and outcome.error.step == "setup", str(outcome.error)
        bare.settled()
        for name in ("env", "env.new"):
            assert not (bare.directory / name).exists() or fault in {"reboot", "helper_killed"}, name
    finally:
        bare.proxy.mend()
        for _ in doing:
            pass


def test_with_consent_the_device_is_set_up_offline_once_and_runs(bare: Bench):
    outcome = bare.run(consent=True)
    bare.check(outcome)
    assert outcome.error is None, str(outcome.error)
    assert "setup" in [step.step for step in outcome.run.steps]
    assert outcome.run.environment["qairt"] == outcome.run.facts.qairt
    bare.settled()
    bare.tidy()
    again = bare.run()
    assert again.error is None, str(again.error)
    assert "setup" not in [step.step for step in again.run.steps]


def test_an_older_runtime_on_the_device_is_replaced_with_consent(bare: Bench):
    """Its version is what the wheel's own files say."""
    (place,) = (bare.directory / "env").glob("lib/python3*/site-packages/onnxruntime_qnn-*.dist-info")
    older = place.with_name("onnxruntime_qnn-2.1.0.dist-info")
    shutil.copytree(place, older)
    shutil.rmtree(place)
    metadata = older / "METADATA"
    version = place.name.removeprefix("onnxruntime_qnn-").removesuffix(".dist-info")
    metadata.write_text(metadata.read_text().replace(f"Version: {version}", "Version: 2.1.0", 1))
    refused = bare.run()
    assert refused.error is not None and "(it has 2.1.0)" in str(refused.error)
    outcome = bare.run(consent=True, profile=False)
    bare.check(outcome)
    assert outcome.error is None, str(outcome.error)
    assert outcome.run.facts.packages["onnxruntime-qnn"] == version


class Index:
    """A package index on the loopback, in pip's simple form, of wheels that are here already."""

    def __init__(self, wheels: dict[str, Path], root: Path) -> None:
        for name, path in wheels.items():
            project = root / "simple" / re.sub(r"[-_.]+", "-", name.split("-")[0]).lower()
            project.mkdir(parents=True, exist_ok=True)
            (project / name).symlink_to(path)
            with (project / "index.html").open("a") as stream:
                stream.write(f'<a href="{name}">{name}</a>\n')
        self.asked: list[str] = []
        index = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *arguments: Any) -> None:
                index.asked.append(self.path)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.variables = {
            "PIP_INDEX_URL": f"http://127.0.0.1:{self._server.server_port}/simple/",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_RETRIES": "0",
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def index(bare: Bench, tmp_path: Path) -> Iterator[Index]:
    """With the wheels of this computer's cache, for the device as it says it is."""
    device = get_target("ssh").open(bare.device.target, DeviceContext(lambda event: None, settings=bare.settings))
    try:
        device.describe()
        wheels = download(device._raw, lambda words: None)
    finally:
        device.close()
    shutil.rmtree(bare.directory / "env", ignore_errors=True)
    index = Index(wheels, tmp_path)
    yield index
    index.close()


def test_a_device_that_is_online_fetches_its_libraries_itself(bare: Bench, index: Index):
    settings = {**bare.settings, "setup": "online"}
    with bare.device.with_environment(**index.variables):
        carried = bare.proxy.carried
        outcome = bare.run(consent=True, profile=False, settings=settings)
        bare.check(outcome)
    assert outcome.error is None, str(outcome.error)
    fetched = {path.rpartition("/")[2].split("-")[0] for path in index.asked if path.endswith(".whl")}
    assert {"onnxruntime", "onnxruntime_qnn", "numpy"} <= fetched
    assert bare.proxy.carried - carried < 8_000_000, "what the device fetches itself is not pushed"
    assert outcome.run.facts.packages["onnxruntime-qnn"] == wanted()["onnxruntime-qnn"]
    bare.settled()
    bare.tidy()


def test_an_index_that_the_device_does_not_reach_is_told_and_leaves_nothing(bare: Bench, index: Index):
    index.close()
    with bare.device.with_environment(**index.variables):
        outcome = bare.run(consent=True, profile=False, settings={**bare.settings, "setup": "online"})
    assert outcome.error is not None and outcome.error.step == "setup"
    assert "the libraries could not be installed on the device" in str(outcome.error)
    bare.settled()
    for name in ("env", "env.new"):
        assert not (bare.directory / name).exists(), name
