"""``aipc evaluate`` on the trained examples: PyTorch and the package side by side; a killed evaluation goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .command import aipc, command, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def deployed(model: str, examples: Path, cache: Path) -> Path:
    options = ("--soc", "sm8650", "--precision", "w8a16", "--no-probes", "--json")
    done = aipc("deploy", model, *options, cwd=examples, cache=cache, timeout=900)
    assert done.status == 0, done.stderr
    return Path(done.report["package"])


def test_a_trained_classifier_keeps_its_top_1(examples: Path, cache: Path) -> None:
    package = deployed("efficientnet-lite0", examples, cache)
    data = ("--data", "efficientnet-lite0/labelled.py:photographs", "--count", "16")
    done = aipc("evaluate", package, *data, "--most-loss", "0.1", "--json", cwd=examples, cache=cache, timeout=900)
    assert done.status == 0, done.stderr
    scores = done.report["scores"]
    assert (scores["metric"], scores["samples"], done.report["reference"]) == ("top-1", 16, "PyTorch")
    assert scores["reference"] > 0.1 and scores["package"] >= scores["reference"] - 0.1


def test_a_trained_detector_is_killed_and_goes_on(examples: Path, cache: Path) -> None:
    package = deployed("yolov3-tiny", examples, cache)
    data = ("--data", "yolov3-tiny/labelled.py:photographs", "--metric", "map", "--count", "16", "--json")
    first = subprocess.Popen(
        command("evaluate", package, *data, "--no-cache"),
        cwd=examples,
        env=environment(cache),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 600
    pattern = ".aipc/evaluations/yolov3-tiny*/samples/000/done"
    while not (done := list(examples.glob(pattern))):
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    stamp = done[0].stat().st_mtime_ns
    again = aipc("evaluate", package, *data, cwd=examples, cache=cache, timeout=900)
    assert again.status == 0, again.stderr
    assert done[0].stat().st_mtime_ns == stamp
    scores = again.report["scores"]
    assert (scores["metric"], scores["samples"], again.report["reference"]) == ("map", 16, "PyTorch")
    assert scores["reference"] > 0.3 and abs(scores["difference"]) < 0.05


def test_whisper_has_pytorchs_word_error_rate(examples: Path, cache: Path) -> None:
    done = aipc("deploy", "whisper", "--soc", "sm8650", "--json", cwd=examples, cache=cache, timeout=1200)
    assert done.status == 0, done.stderr
    again = aipc("evaluate", "whisper", "--data", "whisper/clips", "--json", cwd=examples, cache=cache, timeout=600)
    assert again.status == 0, again.stderr
    scores = again.report["scores"]
    assert (scores["metric"], scores["samples"]) == ("wer", 3)
    assert scores["reference"] == scores["package"]
    assert 0 < scores["package"] < 0.5, "espeak-ng's voice is misunderstood in places"
