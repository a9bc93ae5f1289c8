"""The package's own runner: what it takes as inputs, and what it says of repetitions."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aipc.targets.device_runner import RUNNER


@pytest.fixture(scope="module")
def package(deployed, tmp_path_factory) -> Path:
    return Path(shutil.copytree(deployed.package, tmp_path_factory.mktemp("package") / "it"))


@pytest.fixture(scope="module")
def module() -> Any:
    spec = importlib.util.spec_from_file_location("runner", RUNNER)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def run(package: Path, *arguments: str, **environment: str) -> tuple[dict[str, Any], str]:
    """The report and the words of a run that succeeds."""
    command = [sys.executable, str(package / "run.py"), "--json", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout), finished.stderr


def outputs(package: Path, given: str, out: Path) -> dict[str, np.ndarray]:
    run(package, "--input", given, "--output", str(out))
    with np.load(out) as arrays:
        return {name: arrays[name] for name in arrays.files}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return set(first) == set(second) and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("given", ["x=frame.raw", "frame.raw"])
def test_raw_bytes_are_an_input_in_its_own_dtype(package, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    with np.load(package / "golden" / "inputs.npz") as golden:
        (tmp_path / "frame.raw").write_bytes(golden["x"].tobytes())
    by_name = outputs(package, str(package / "golden" / "inputs.npz"), tmp_path / "a.npz")
    assert same(outputs(package, given, tmp_path / "b.npz"), by_name)


def test_a_picture_is_brought_to_the_inputs_size_and_range(package, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "bus.png")
    resized = np.asarray(Image.fromarray(pixels).resize((16, 16)), np.float32) / 255
    np.savez(tmp_path / "same.npz", x=np.ascontiguousarray(resized.transpose(2, 0, 1))[None])
    wanted = outputs(package, str(tmp_path / "same.npz"), tmp_path / "a.npz")
    assert same(outputs(package, f"x={tmp_path / 'bus.png'}", tmp_path / "b.npz"), wanted)


@pytest.mark.parametrize(
    ("shape", "dtype", "mode"),
    [
        ([1, 3, 8, 6], "float32", "RGB"),
        ([1, 8, 6, 3], "uint8", "RGB"),
        ([1, 1, 8, 6], "float16", "L"),
        ([2, 3, 8, 6], "float32", "L"),
        ([1, 8, 6, 1], "float32", "RGBA"),
    ],
)
def test_pictures_fit_every_layout_of_an_image(module, tmp_path, shape, dtype, mode):
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    pixels = np.random.default_rng(1).integers(0, 256, (8, 6, channels), dtype=np.uint8)
    picture = Image.fromarray(pixels.squeeze(), mode)
    picture.save(tmp_path / "picture.png")
    array = module.read_picture(np, tmp_path / "picture.png", {"name": "x", "shape": shape, "dtype": dtype})
    assert (list(array.shape), array.dtype.name) == (shape, dtype)
    first = shape[1] in (1, 3)
    colours = shape[1] if first else shape[3]
    wanted = np.asarray(picture.convert("RGB" if colours == 3 else "L")).reshape(8, 6, colours)
    for one in array:
        seen = one.transpose(1, 2, 0) if first else one
        scale = 255 if dtype.startswith("float") else 1
        assert np.allclose(np.asarray(seen, np.float32) * scale, wanted, atol=0.2)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("short.raw", b"123", "short.raw has 3 bytes and input 'x' (float32[1, 3, 16, 16]) takes 3072"),
        ("none.png", b"not a picture", "none.png is not a picture that can be read"),
        ("none.npz", b"not arrays", "none.npz is not a .npz file that can be read"),
        ("absent.raw", None, "absent.raw cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_input_is_told(package, tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, str(package / "run.py"), "--input", name]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert finished.returncode == 2
    assert words in finished.stderr


def test_repetitions_are_told_as_they_come_and_a_simulator_has_no_latency(package):
    report, words = run(package, "--warm-up", "2", "--repeat", "3", "--progress")
    told = [line for line in words.splitlines() if line.startswith("progress: ")]
    assert told[0] == "progress: 1 of 5" and told[-1] == "progress: 5 of 5"
    assert report["latency"] is None and report["host_seconds"] > 0
    assert "progress" not in run(package, "--repeat", "2")[1]


def test_a_simulators_computer_is_no_cpu_to_compare_with(package, deployed):
    graph = Path(deployed.package) / "model.onnx"
    report, _ = run(package, "--cpu-model", str(graph))
    assert report["simulated"] and report["cpu"] is None


def test_on_a_device_every_repetition_is_timed(package, tmp_path):
    """A Python that says it runs on Arm stands in for one."""
    (tmp_path / "sitecustomize.py").write_text('import platform\nplatform.machine = lambda: "aarch64"\n')
    report, _ = run(package, "--warm-up", "1", "--repeat", "4", "--soc", "sm8650", PYTHONPATH=str(tmp_path))
    latency = report["latency"]
    assert latency["repetitions"] == 4
    assert 0 < latency["min_ms"] <= latency["p50_ms"] <= latency["p90_ms"] <= latency["p99_ms"] <= latency["max_ms"]
    assert report["host_seconds"] * 1e3 == pytest.approx(latency["min_ms"])


def test_percentiles_and_spread_are_those_of_the_runs(module):
    found = module.latency_of([0.002] * 98 + [0.010, 0.100])
    assert (found["repetitions"], found["p50_ms"], found["p90_ms"]) == (100, 2.0, 2.0)
    assert found["p99_ms"] == pytest.approx(100.0)
    assert (found["min_ms"], found["max_ms"]) == (2.0, 100.0)
    seconds = np.array([0.002] * 98 + [0.010, 0.100])
    assert found["spread"] == pytest.approx(seconds.std() / seconds.mean())


def test_slow_repetitions_on_a_cpu_end_after_a_time(module):
    class Slow:
        def run(self, names, inputs):
            import time

            time.sleep(0.02)
            return []

    arguments = type("Arguments", (), {"progress": False, "warm_up": 1, "repeat": 1000})
    _, seconds = module.time_runs(Slow(), None, {}, arguments, 0.1)
    assert 1 <= len(seconds) <= 6
