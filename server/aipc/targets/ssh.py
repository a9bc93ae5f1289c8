"""``ssh:HOST``: Linux or Windows on Snapdragon, reached by the user's own ssh configuration.

On the device everything lies in one directory (``~/.aipc``): ``env`` (a private Python environment), ``packages``
(installed ones, by the hash of their manifest), ``staging`` (what is being pushed), ``runs`` (inputs and outputs of
the present run), ``lock``. ``device.json`` there may say which chip it is, ``{"soc": "qcs6490"}``, where the system
does not.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file, hash_value
from aipc.core.scratch import scratch_directory
from aipc.qairt.error_codes import explain_failure

from ._node_profile import node_profile
from ._runner import cpu_arguments, cpu_files, on_cpu, repetitions, speaks
from ._ssh_names import configured_hosts
from .base import Description, Device, DeviceContext, DeviceError, Executed, Facts, Holder, Owner, Progress, Work
from .preflight import soc_of

SILENCE_SECONDS = 30.0
SIMULATED = {"x86_64", "amd64"}


@dataclass(frozen=True, slots=True)
class Ssh:
    scheme: str = "ssh"

    def discover(self) -> tuple[Description, ...]:
        hosts = dict.fromkeys(configured_hosts())
        return tuple(Description(f"ssh:{host}", "ssh", f"{host} (ssh)", True) for host in hosts)

    def open(self, name: str, context: DeviceContext) -> Device:
        return SshDevice(name, context)


class SshDevice(Device):
    """One connection with one helper process behind it."""

    def __init__(self, name: str, context: DeviceContext) -> None:
        from ._loop import BackgroundLoop

        self.name = name
        self._context = context
        self._silence = float(context.settings.get("silence", SILENCE_SECONDS))
        self._raw: dict[str, Any] = {}
        self._place = f"runs/{uuid.uuid4().hex}"
        self._connection: Any = None
        self._channel: Any = None
        self._loop = BackgroundLoop(context.cancel)
        try:
            self._loop.call(self._open())
        except BaseException:
            self.close()
            raise

    async def _open(self) -> None:
        from ._channel import Channel
        from ._ssh_connection import connect, start_helper

        settings = {**self._context.settings, "silence": self._silence}
        self._connection = await connect(self.name, settings)
        process = await start_helper(self._connection, settings)
        self._channel = Channel(process.stdout, process.stdin, self._silence)

    def _ask(self, do: str, **arguments: Any) -> Any:
        return self._loop.call(self._channel.ask(do, **arguments))

    def describe(self) -> Facts:
        started = time.time()
        raw = self._raw = self._ask("facts")
        now = (started + time.time()) / 2
        names = [(source, name) for source, name in raw["soc_names"]]
        soc, source = _soc(self._context.settings.get("soc"), names)
        return Facts(
            system=raw["system"],
            machine=raw["machine"],
            os=raw["os"],
            libc=raw["libc"],
            soc=soc.part if soc else "",
            soc_names=tuple(name for _, name in names),
            soc_source=source,
            htp_arch=soc.htp_arch if soc else None,
            vtcm_mb=soc.vtcm_mb if soc else None,
            simulated=raw["machine"].lower() in SIMULATED,
            python=raw["python"] or raw["python_here"],
            qairt=raw["qairt"],
            packages=raw["packages"],
            free_bytes=raw["free_bytes"],
            npu_users=tuple(raw["npu_users"]),
            clock_skew=round(raw["clock"] - now, 1),
            temperature=raw["temperature"],
            lacks=self._lacks(raw),
            extra={"hostname": raw["hostname"], "directory": raw["base"], "python_platform": raw["python_platform"]},
        )

    def _lacks(self, raw: Mapping[str, Any]) -> tuple[str, ...]:
        """What a set-up would bring: what is not there, or older than what this computer compiles with."""
        from ._wheels import wanted

        lacking = []
        for name, version in wanted().items():
            there = raw["packages"].get(name)
            if there is None:
                lacking.append(f"{name} {version}" if name != "numpy" else name)
            elif name == "onnxruntime-qnn" and _numbers(there) < _numbers(version):
                lacking.append(f"{name} {version} (it has {there})")
        if lacking and self._context.settings.get("python"):
            raise DeviceError(
                f"the Python that the configuration names, {self._context.settings['python']}, lacks "
                f"{', '.join(lacking)}",
                remedy="install it there, or take the name out of the configuration and let AIPC set up one of its own",
            )
        return tuple(lacking)

    def try_lock(self, owner: Owner, break_token: str = "") -> Holder | None:
        # The lock is the operating system's and goes with its holder's process: there are no stale ones.
        answer = self._ask("lock", owner=asdict(owner))["holder"]
        if answer is None:
            return None
        who = answer["owner"] or {"who": "somebody", "pid": 0, "token": ""}
        return Holder(Owner(who["who"], who["pid"], who["token"]), answer["age"], answer["age"], alive=True)

    def unlock(self, owner: Owner) -> None:
        self._ask("unlock")

    def setup(self, facts: Facts, progress: Progress) -> None:
        from ._wheels import download, requirements

        raw, online = self._raw, self._context.settings.get("setup") == "online"
        wheels = download(raw, progress)
        if online:
            wheels = {name: path for name, path in wheels.items() if name.startswith("pip-")}
        self._send("wheels", wheels, progress)
        progress("installing the libraries in a private environment")
        self._ask(
            "install", wheels="wheels", online=online, requirements=requirements(raw["python_here"]), seconds=1800
        )

    def push(self, work: Work, progress: Progress) -> str:
        names = [*work.manifest["files"], "manifest.json"]
        digest = hash_file(work.package / "manifest.json")
        where = f"packages/{digest[:40]}"
        self._send(where, {name: work.package / name for name in names}, progress)
        return where

    def _send(self, to: str, files: Mapping[str, Path], progress: Progress) -> None:
        """Bring files to a directory of the device: staged, hashed there, renamed as a whole."""
        digests = {name: hash_file(path) for name, path in files.items()}
        place = {"to": to, "staging": f"staging/{to.replace('/', '-')}", "files": digests}
        bad: list[str] = []
        for _ in range(2):
            begun = self._ask("begin", **place)
            if begun["there"]:
                progress("is there already, whole")
                return
            self._loop.call(self._channel.send_files(place["staging"], files, begun["have"], progress))
            bad = self._ask("finish", **place)["bad"]
            if not bad:
                return
            # A rest of an earlier push was not what it seemed: once more, from its beginning.
        raise DeviceError(
            f"{', '.join(bad)} arrived damaged twice", remedy="check the device's storage and the network"
        )

    def run(self, work: Work, where: str, progress: Progress) -> Executed:
        progress("sending the inputs")
        self._send_inputs(work, progress)
        simulated = self._raw["machine"].lower() in SIMULATED
        arguments = ["--input", "@inputs.npz", "--output", "@outputs.npz", "--performance", work.performance]
        if not simulated:
            arguments += ["--warm-up", str(work.warm_up), "--repeat", str(work.repeat)]
        progress("running on the simulator of the device's computer" if simulated else "running")
        result = self._run(work, where, arguments, progress)
        latency = result["latency"]
        if latency and (cpu := on_cpu(work, lambda: self._on_cpu(work, where, progress))):
            latency = {**latency, "cpu": cpu}
        return Executed(latency, float(result["host_seconds"]), None, _environment(result))

    def _on_cpu(self, work: Work, where: str, progress: Progress) -> Mapping[str, Any]:
        """The uncompiled model's latency on the device's CPU."""
        files = cpu_files(work)
        place = f"models/{hash_value([hash_file(path) for path in files.values()])[:40]}"
        self._send(place, files, progress)
        progress("running on the device's CPU")
        arguments = ["--input", "@inputs.npz", *cpu_arguments(work, f"@@{place}/model.onnx")]
        cpu: Mapping[str, Any] = self._run(work, where, arguments, progress, "on the CPU ")["cpu"]
        return cpu

    def _send_inputs(self, work: Work, progress: Progress) -> None:
        self._loop.call(self._channel.send_files(self._place, {"inputs.npz": work.inputs}, {}, progress))

    def _run(self, work: Work, where: str, arguments: list[str], progress: Progress, on: str = "") -> dict[str, Any]:
        if speaks(work.manifest):
            arguments = [*arguments, "--progress"]
        soc, _ = _soc(self._context.settings.get("soc"), [tuple(pair) for pair in self._raw["soc_names"]])
        chip = soc.part if soc else str(work.manifest["soc"])
        finished = self._ask(
            "run",
            package=where,
            place=self._place,
            arguments=[*arguments, "--soc", chip, "--json"],
            seconds=3600,
            on_note=lambda note: repetitions(note, progress, on),
        )
        status, note = finished["status"], finished["stderr"].strip().splitlines()
        if status == 2 and note:
            known = explain_failure(note[-1])
            more = {"remedy": f"{known.meaning}: {known.remedy}"} if known and known.meaning != known.text else {}
            raise DeviceError(note[-1].removeprefix("run.py: "), detail=finished["stderr"], **more)
        if status != 0:
            why = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise DeviceError(
                f"the runner {why}",
                remedy="run again; if it is killed each time, the device may be short of memory",
                detail=finished["stderr"],
            )
        try:
            result: dict[str, Any] = json.loads(finished["stdout"])
        except ValueError as error:
            raise DeviceError("the runner gave no report that can be read", detail=finished["stdout"]) from error
        return result

    def profile(self, work: Work, where: str, progress: Progress) -> Mapping[str, Any] | None:
        """A run of its own: profiling makes every node slower and would spoil the latency."""
        progress("measuring each node")
        result = self._run(work, where, ["--input", "@inputs.npz", "--profile", "@profile.csv"], progress)
        with scratch_directory() as directory:
            table = directory / "profile.csv"
            self._loop.call(self._channel.fetch_file(f"{self._place}/profile.csv", table, progress))
            return node_profile(table, result["profile"]["measured_on"])

    def pull(self, work: Work, progress: Progress) -> None:
        self._loop.call(self._channel.fetch_file(f"{self._place}/outputs.npz", work.outputs, progress))

    def clean(self) -> None:
        self._loop.call(self._channel.ask("clean"), cancellable=False)

    def close(self) -> None:
        try:
            if self._channel is not None:
                self._loop.call(self._channel.goodbye(), cancellable=False)
            if self._connection is not None:
                self._loop.call(_end(self._connection), cancellable=False)
        except Exception:
            pass
        self._loop.close()


async def _end(connection: Any) -> None:
    import asyncio

    connection.close()
    try:
        await asyncio.wait_for(connection.wait_closed(), 3)
    except Exception:
        connection.abort()


def _soc(declared: Any, names: list[Any]) -> tuple[Any, str]:
    """The chip, and where that was read: the configuration's word, else the device's own."""
    if declared:
        return soc_of([str(declared)]), "the configuration"
    for source, name in names:
        if soc := soc_of([name]):
            return soc, source
    return None, ""


def _environment(result: Mapping[str, Any]) -> dict[str, Any]:
    return {**result.get("environment", {}), "temperature": result.get("temperature")}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


TARGET = Ssh()
