"""A phone with a Python of its own that has onnxruntime and onnxruntime-qnn: the package's own runner runs there.

Nothing is brought to it: whoever names that Python (``python`` in the configuration) has installed it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from aipc.core.cache import storage_errors
from aipc.core.errors import PackageError
from aipc.core.hashing import hash_file, hash_value
from aipc.qairt.error_codes import explain_failure
from aipc.qairt.soc import SoC

from ._adb_device import OUTPUTS, PACKAGES_KEPT, SWEEP, Phone, slug
from ._adb_files import File, forget_old, push
from ._machine import executed
from ._runner import cpu_arguments, cpu_files, on_cpu
from .base import DeviceError, Executed, Progress, UnfitError, Work
from .contexts import entry_for

_VERSIONS = """
import json, platform, numpy, onnxruntime, onnxruntime_qnn
print(json.dumps({
    "python": platform.python_version(), "onnxruntime": onnxruntime.__version__, "numpy": numpy.__version__,
    "qairt": onnxruntime_qnn.build_and_package_info.qnn_version,
}))
"""
# $1 directory of the run, $2 the Python, $3 the package; the rest are the runner's arguments.
_RUN = """
cd "$1" || exit 97
python=$2; package=$3; shift 3
echo "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown) $$" > process || exit 98
exec "$python" "$package/run.py" "$@"
"""
_SECONDS = 1800.0
MODELS_KEPT = 3
"""As many uncompiled models stay on a phone."""


class PhoneWithPython(Phone):
    def _look_for_runtime(self, soc: SoC) -> tuple[str, str, tuple[str, ...]]:
        python = str(self._context.settings["python"])
        reply = self._link.run('"$1" -c "$2"', python, _VERSIONS)
        try:
            facts = json.loads(reply.out.strip().splitlines()[-1])
        except (ValueError, IndexError):
            raise DeviceError(
                f"the phone's {python} does not import onnxruntime and onnxruntime-qnn: {reply.last_line}",
                remedy="install both there, or leave python out of the configuration to use qnn-net-run",
                detail=f"{reply.out}\n{reply.err}"[-4000:],
            ) from None
        return "", str(facts["qairt"]), ()

    def push(self, work: Work, progress: Progress) -> str:
        assert self._soc is not None
        try:
            entry_for(work.manifest, self._soc)
        except PackageError as error:
            raise UnfitError(error.what, remedy=error.remedy) from error
        names = ("manifest.json", *work.manifest["files"])
        for name in names:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise UnfitError(
                    f"the package names a file {name!r} outside of itself", remedy="deploy the model again"
                )
        self._link.must("clearing up", SWEEP, self._root)
        place = f"{slug(str(work.manifest['model']))}-whole-{hash_file(work.package / 'manifest.json')[:24]}"
        files = [File(name, work.package / name) for name in sorted(names)]
        push(self._link, files, self._of("packages", place), self._of("staging", place), progress)
        forget_old(self._link, self._of("packages", place), PACKAGES_KEPT)
        return self._of("packages", place)

    def run(self, work: Work, where: str, progress: Progress) -> Executed:
        assert self._soc is not None
        directory = self._new_run(where)
        progress("sending the inputs")
        self._link.send(work.inputs.read_bytes(), f"{directory}/inputs.npz")
        arguments = ["--output", "outputs.npz", "--warm-up", str(work.warm_up), "--repeat", str(work.repeat)]
        progress(f"running {work.warm_up + work.repeat} times")
        started = time.monotonic()
        reply = executed(self._runner(directory, where, [*arguments, "--performance", work.performance]))
        seconds, latency = time.monotonic() - started, reply.latency
        if latency and (cpu := on_cpu(work, lambda: self._on_cpu(work, where, directory, progress))):
            latency = {**latency, "cpu": cpu}
        return Executed(latency, seconds, reply.profile, {**reply.environment, **self._environment})

    def _runner(self, directory: str, where: str, arguments: list[str]) -> dict[str, Any]:
        """The report of the package's runner in the run's directory."""
        assert self._soc is not None
        python = str(self._context.settings["python"])
        options = ["--input", "inputs.npz", "--soc", self._soc.part, "--json", *arguments]
        reply = self._link.run(_RUN, directory, python, where, *options, seconds=_SECONDS)
        if reply.status == 2:
            raise UnfitError(
                reply.last_line.removeprefix("run.py: "), remedy="deploy the model again", detail=reply.err
            )
        try:
            report: dict[str, Any] = json.loads(reply.out)
        except ValueError:
            known = explain_failure(reply.err)
            raise DeviceError(
                known.sentence if known else f"the runner stopped with status {reply.status}: {reply.last_line}",
                remedy=known.remedy if known else "see its words with --debug",
                detail=reply.err[-4000:],
            ) from None
        return report

    def _on_cpu(self, work: Work, where: str, directory: str, progress: Progress) -> Mapping[str, Any]:
        """The uncompiled model's latency on the phone's CPU."""
        files = [File(name, path) for name, path in cpu_files(work).items()]
        name = hash_value([file.content_hash() for file in files])[:40]
        place = self._of("models", name)
        push(self._link, files, place, self._of("staging", name), progress)
        forget_old(self._link, place, MODELS_KEPT)
        progress("running on the phone's CPU")
        cpu: Mapping[str, Any] = self._runner(directory, where, cpu_arguments(work, f"{place}/model.onnx"))["cpu"]
        return cpu

    def profile(self, work: Work, where: str, progress: Progress) -> None:
        return None

    def pull(self, work: Work, progress: Progress) -> None:
        line = self._link.must("looking at the outputs", OUTPUTS, self._run_directory, "outputs.npz").split()
        if len(line) != 2:
            raise DeviceError("the runner wrote no outputs", remedy="run again")
        staged = work.outputs.with_name(f".{work.outputs.name}.new")
        self._link.receive(f"{self._run_directory}/outputs.npz", staged)
        if hash_file(staged) != line[1]:
            staged.unlink()
            raise DeviceError("the outputs arrived damaged", remedy="run again")
        with storage_errors(work.outputs.parent):
            staged.replace(work.outputs)
