"""One open phone: ``qnn-net-run`` and the libraries of the user's QAIRT SDK run the package's context binary.

Everything lies under one directory of the phone: ``packages/`` and ``runtime/`` (whole, hashed), ``staging/`` (pushes
under way), ``runs/`` (inputs and outputs of the run that holds the lock) and ``lock``.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aipc.core.cache import storage_errors
from aipc.core.errors import AipcError, InputError
from aipc.core.hashing import hash_file
from aipc.core.scratch import scratch_directory
from aipc.qairt.error_codes import explain_failure
from aipc.qairt.soc import SoC

from ._adb_facts import free_of, read_facts
from ._adb_files import File, forget_old, push
from ._adb_link import Link
from ._adb_lock import PhoneLock
from ._adb_runtime import RUNTIMES_KEPT, bring, look
from ._qairt_sdk import NoSdkError, Sdk, find_sdk
from .base import Device, DeviceContext, DeviceError, Executed, Facts, Holder, Owner, Progress, UnfitError, Work
from .contexts import entry_for

DIRECTORY = "/data/local/tmp/aipc"
"""The one place that the shell of every phone may write to and execute from."""
PACKAGES_KEPT = 12
"""As many packages stay on a phone, those that were used last."""
_RUN_SECONDS = 1800.0
_PROFILE = "qnn-profiling-data_0.log"

# $1 directory of the run, $2 directory of the runtime; the rest are qnn-net-run's arguments.
_RUN = """
cd "$1" || exit 97
runtime=$2; shift 2
echo "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown) $$" > process || exit 98
export LD_LIBRARY_PATH="$runtime"
export ADSP_LIBRARY_PATH="$runtime;/vendor/dsp/cdsp;/vendor/lib/rfsa/adsp;/system/lib/rfsa/adsp;/dsp"
exec "$runtime/qnn-net-run" "$@"
"""
# $1 our directory: end what earlier runs left running, and remove what they left.
SWEEP = """
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown)
for run in "$1"/runs/*; do
  [ -d "$run" ] || continue
  if read -r its_boot its_process < "$run/process" 2>/dev/null && [ "$its_boot" = "$boot" ]; then
    kill -9 "$its_process" 2>/dev/null
  fi
  rm -rf "$run"
done
find "$1/staging" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} + 2>/dev/null
exit 0
"""
# $1 directory; the rest are file names. Prints for each that exists its number and SHA-256.
OUTPUTS = """
cd "$1" || exit 1
shift; number=0
for name; do
  if [ -f "$name" ]; then sum=$(sha256sum < "$name"); echo "$number ${sum%% *}"; fi
  number=$((number + 1))
done
"""


class Phone(Device):
    def __init__(self, link: Link, context: DeviceContext) -> None:
        self._link, self._context = link, context
        self._root = _directory(context.settings.get("directory", DIRECTORY))
        self._lock = PhoneLock(link, f"{self._root}/lock")
        self._soc: SoC | None = None
        self._environment: dict[str, str] = {}
        self._runtime = ""
        self._run_directory = ""
        self._plan: Any = None

    def describe(self) -> Facts:
        facts, self._soc = read_facts(self._link, self._root, str(self._context.settings.get("soc", "")))
        build = facts.extra["build"]
        self._environment = {"system": f"{facts.os} {build}".strip(), "machine": facts.machine, "chip": facts.soc}
        runtime, version, lacks = self._look_for_runtime(self._soc)
        self._runtime = runtime
        return free_of(facts, qairt=version, lacks=lacks)

    def _look_for_runtime(self, soc: SoC) -> tuple[str, str, tuple[str, ...]]:
        """Name of the runtime to use on the phone, its QAIRT version, and what of it has to be brought."""
        runtime = look(self._link, f"{self._root}/runtime", self._sdk, soc.htp_arch)
        return runtime.name, runtime.version, runtime.lacks

    def _sdk(self) -> Sdk:
        return find_sdk(str(self._context.settings.get("sdk", "")))

    def try_lock(self, owner: Owner, break_token: str = "") -> Holder | None:
        return self._lock.take(owner, break_token)

    def unlock(self, owner: Owner) -> None:
        with suppress(DeviceError):  # it is gone, and the lock with it
            self._lock.give_back(owner)

    def setup(self, facts: Facts, progress: Progress) -> None:
        assert self._soc is not None
        place, staging = self._of("runtime", self._runtime), self._of("staging", self._runtime)
        bring(self._link, self._sdk().runtime(self._soc.htp_arch), place, staging, progress)

    def push(self, work: Work, progress: Progress) -> str:
        from aipc.qairt.net_run import plan

        assert self._soc is not None
        try:
            self._plan = plan(work.package, work.manifest, entry_for(work.manifest, self._soc))
        except AipcError as error:
            raise UnfitError(error.what, remedy=error.remedy, detail=error.detail) from error
        self._link.must("clearing up", SWEEP, self._root)
        manifest = work.package / "manifest.json"
        name = f"{slug(str(work.manifest['model']))}-{hash_file(self._plan.binary)[:12]}-{hash_file(manifest)[:12]}"
        files = [File("context.bin", self._plan.binary), File("manifest.json", manifest)]
        place = self._of("packages", name)
        push(self._link, files, place, self._of("staging", name), progress)
        forget_old(self._link, place, PACKAGES_KEPT)
        forget_old(self._link, self._of("runtime", self._runtime), RUNTIMES_KEPT)
        return place

    def run(self, work: Work, where: str, progress: Progress) -> Executed:
        from aipc.numerics.npz import read_npz
        from aipc.qairt import net_run

        directory = self._new_run(where)
        with scratch_directory() as local:
            for name in net_run.write_inputs(self._plan, read_npz(work.inputs), local):
                progress(f"sending {name}", None)
                self._link.send((local / name).read_bytes(), f"{directory}/{name}")
        repeat = work.warm_up + work.repeat
        progress(f"running qnn-net-run {repeat} times", None)
        started = time.monotonic()
        self._net_run(work, where, "out", repeat=repeat, detailed=False)
        seconds = time.monotonic() - started
        measured, note = self._measured("out")
        environment = {"qairt": self._runtime.partition("-")[0], **self._environment, "runner": "qnn-net-run"}
        if note:
            environment["latency"] = note
        return Executed(measured.latency(work.warm_up) if measured else None, seconds, None, environment)

    def _new_run(self, where: str) -> str:
        token = hashlib.sha256(f"{where}{time.time_ns()}".encode()).hexdigest()[:16]
        self._run_directory = self._of("runs", token)
        self._link.must("making the run's directory", 'mkdir -p "$1"', self._run_directory)
        return self._run_directory

    def profile(self, work: Work, where: str, progress: Progress) -> Mapping[str, Any] | None:
        """A run of its own: looking at every node costs time, which is not to be in the latency."""
        progress("running qnn-net-run with a profile of every node", None)
        self._net_run(work, where, "profiled", repeat=3, detailed=True)
        measured, _ = self._measured("profiled")
        if measured is None or not measured.nodes:
            return None
        return {"unit": measured.unit, "measured_on": "device", "nodes": dict(measured.nodes)}

    def _net_run(self, work: Work, where: str, results: str, *, repeat: int, detailed: bool) -> None:
        from aipc.qairt.net_run import arguments

        runtime = self._of("runtime", self._runtime)
        command = arguments(
            backend=f"{runtime}/libQnnHtp.so",
            binary=f"{where}/context.bin",
            results=results,
            repeat=repeat,
            performance=work.performance,
            detailed=detailed,
        )
        reply = self._link.run(_RUN, self._run_directory, runtime, *command, seconds=_RUN_SECONDS)
        if reply.status != 0:
            raise _failed(reply.status, f"{reply.out}\n{reply.err}")

    def _measured(self, results: str) -> tuple[Any, str]:
        """What qnn-net-run's log says, read by the SDK's own viewer; or None, and why."""
        from aipc.qairt.net_run_profile import read_net_run_profile

        try:
            viewer = self._sdk().profile_viewer()
        except NoSdkError:
            viewer = None
        if viewer is None:
            return None, "not measured: the SDK's qnn-profile-viewer for this computer is needed to read the log"
        with scratch_directory() as local:
            log, table = local / _PROFILE, local / "profile.csv"
            self._link.receive(f"{self._run_directory}/{results}/{_PROFILE}", log)
            command = [str(viewer), "--input_log", str(log), "--output", str(table)]
            process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
            if process.returncode != 0 or not table.is_file():
                return None, f"not measured: qnn-profile-viewer failed ({process.stderr.strip()[-200:]})"
            return read_net_run_profile(table), ""

    def pull(self, work: Work, progress: Progress) -> None:
        from aipc.numerics.npz import write_npz
        from aipc.qairt.net_run import output_files, read_outputs

        names = [(index, name) for index, border in enumerate(self._plan.outputs) for name in output_files(border)]
        results = f"{self._run_directory}/out/Result_0"
        listing = self._link.must("looking at the outputs", OUTPUTS, results, *(name for _, name in names)).splitlines()
        files: dict[int, tuple[Path, bool]] = {}
        with scratch_directory() as local:
            for line in listing:
                number, digest = line.split()
                index, name = names[int(number)]
                if index in files:
                    continue
                progress(f"output {len(files) + 1} of {len(self._plan.outputs)}", None)
                path = local / f"{index}.raw"
                self._link.receive(f"{results}/{name}", path)
                if hash_file(path) != digest:
                    raise DeviceError(f"{name} arrived damaged", remedy="run again")
                files[index] = (path, name.endswith("_native.raw"))
            arrays = read_outputs(self._plan, files)
        staged = work.outputs.with_name(f".{work.outputs.name}.new")
        with storage_errors(work.outputs.parent):
            write_npz(staged, arrays)
            staged.replace(work.outputs)

    def clean(self) -> None:
        with suppress(DeviceError):  # it is gone: the next run sweeps
            self._link.run(SWEEP, self._root)

    def close(self) -> None:
        self._lock.close()

    def _of(self, *parts: str) -> str:
        return "/".join((self._root, *parts))


def _directory(setting: Any) -> str:
    """The directory on the phone. Colons and semicolons separate the entries of its library paths."""
    place = str(setting).rstrip("/")
    if not place.startswith("/") or re.search(r"[:;\n\0]|/\.\.(/|$)", place):
        raise InputError(
            f"{setting!r} is no directory for a phone",
            remedy="give an absolute path without colon, semicolon or line break",
        )
    return place


def slug(name: str) -> str:
    """A model's name as a directory's: letters, digits and dashes of it, so that people recognize it."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "model"


def _failed(status: int, reason: str) -> DeviceError:
    """qnn-net-run stopped: its own words, translated where they name a QNN error."""
    known = explain_failure(reason)
    if known is not None:
        return DeviceError(known.sentence, remedy=known.remedy, detail=reason[-4000:])
    if "No space left" in reason:
        return DeviceError("the phone is full", remedy="free some space on it and run again", detail=reason[-4000:])
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    return DeviceError(
        f"qnn-net-run stopped with status {status}: {last[:200]}",
        remedy="see its words with --debug",
        detail=reason[-4000:],
    )
