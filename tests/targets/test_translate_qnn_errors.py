"""What QAIRT says on a device comes with its meaning and a remedy, whichever target it was."""

from __future__ import annotations

import threading

import pytest

from aipc.core.errors import PackageError
from aipc.targets.base import Device, DeviceContext, DeviceError, Executed, Facts, UnfitError, Work
from aipc.targets.session import execute
from aipc.targets.translate_qnn_errors import explained

WORDS = "QAIRT cannot load the package: Error: QNN_CONTEXT_ERROR_CREATE_FROM_BINARY: Failure to create context"


class Failing(Device):
    def describe(self) -> Facts:
        return Facts()

    def run(self, work, where, progress) -> Executed:
        raise PackageError(WORDS, remedy="deploy the model again")


class Somewhere:
    scheme = "somewhere"

    def discover(self):
        return ()

    def open(self, name, context):
        return Failing()


def test_a_runner_s_error_is_translated(tmp_path):
    manifest = {"model": "m", "soc": "sm8650", "htp_arch": 75, "qairt": "2.51.0", "inputs": [], "outputs": []}
    work = Work(tmp_path, manifest, tmp_path / "in.npz", tmp_path / "out.npz")
    with pytest.raises(DeviceError, match=r"somewhere:x: run: .*another version or for another chip.*5005") as stopped:
        execute(Somewhere(), "somewhere:x", work, DeviceContext(lambda event: None, threading.Event()))
    assert "deploy again" in stopped.value.remedy
    assert WORDS in stopped.value.detail


@pytest.mark.parametrize(
    "error",
    [
        DeviceError("the runner ended with status 3", step="run"),
        DeviceError("error 5005", step="push"),
        UnfitError("error 5005", step="run"),
    ],
)
def test_others_stay_as_they_are(error):
    assert explained(error) is error
