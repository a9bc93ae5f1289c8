"""The C# sample is compiled with Microsoft.ML.OnnxRuntime and run in the simulator, where the toolchain can be had."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from aipc import engine

from .dotnet import HERE, Dotnet, MissingPartError, toolchain
from .test_samples import libraries

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def dotnet(tmp_path_factory: pytest.TempPathFactory) -> Dotnet:
    try:
        return toolchain(tmp_path_factory.mktemp("dotnet"))
    except MissingPartError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def csharp(package: Path, dotnet: Dotnet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the C# sample, compiled."""
    folder = tmp_path_factory.mktemp("csharp")
    sample = engine.write_sample(package, "csharp", folder / "sample")
    shutil.copyfile(dotnet.folder / "Microsoft.ML.OnnxRuntime.dll", folder / "Microsoft.ML.OnnxRuntime.dll")
    shutil.copyfile(libraries()[0], folder / "libonnxruntime.so")
    options = ("-nullable:enable", "-warnaserror", f"-r:{folder / 'Microsoft.ML.OnnxRuntime.dll'}")
    dotnet.compile(folder / "Sample.dll", [sample / "Sample.cs", HERE / "IsExternalInit.cs"], *options)
    return folder


def run(dotnet: Dotnet, folder: Path, package: Path, *inputs: str) -> subprocess.CompletedProcess[str]:
    return dotnet.run(folder / "Sample.dll", package, libraries()[1], *inputs, cwd=folder / "sample")


def test_the_csharp_sample_gives_the_golden_outputs_bit_for_bit(package: Path, dotnet: Dotnet, csharp: Path) -> None:
    done = run(dotnet, csharp, package)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("dB against PyTorch") == 2
    engine.run_package(package, output=csharp / "outputs.npz")
    with np.load(csharp / "outputs.npz") as expected:
        for number, name in enumerate(expected.files):
            actual = np.load(csharp / "sample" / f"output-{number}.npy")
            assert actual.dtype == expected[name].dtype and np.array_equal(actual, expected[name]), name


def test_the_csharp_sample_says_what_does_not_fit(package: Path, dotnet: Dotnet, csharp: Path) -> None:
    folder = csharp / "sample"
    np.save(folder / "image.npy", np.full((1, 3, 8, 8), 0.25, np.float32))
    np.save(folder / "offset.npy", np.zeros((1, 4, 1, 1), np.float32))
    done = run(dotnet, csharp, package, "image.npy", "offset.npy")
    assert done.returncode == 0 and "dB" not in done.stdout, done.stderr
    assert run(dotnet, csharp, package, "image.npy").returncode == 2
    (folder / "short.npy").write_bytes((folder / "image.npy").read_bytes()[:200])
    (folder / "text.npy").write_text("no array at all")
    np.save(folder / "wide.npy", np.zeros((1, 3, 8, 9), np.float32))
    reasons = {"short.npy": "ends too early", "text.npy": "not a .npy", "wide.npy": "(1, 3, 8, 8)", "no.npy": "no.npy"}
    for name, reason in reasons.items():
        done = run(dotnet, csharp, package, name, "offset.npy")
        assert done.returncode == 2 and reason in done.stderr and "   at " not in done.stderr, (name, done.stderr)


def test_the_csharp_sample_fails_where_the_golden_outputs_are_others(
    package: Path, dotnet: Dotnet, csharp: Path
) -> None:
    golden = csharp / "sample" / "golden" / "output-1.npy"
    before = golden.read_bytes()
    np.save(golden, np.load(golden) + np.float32(1))
    assert run(dotnet, csharp, package).returncode == 1
    golden.write_bytes(before)
