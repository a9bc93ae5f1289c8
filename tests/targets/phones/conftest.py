"""One small package, Debian's ADB server and a test phone for all tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from aipc import engine
from aipc.core.workers import WorkerPool
from aipc.targets.base import Work

from .adb_server import adb_server
from .bench import Bench
from .sdk import make_sdk

SIZE = 16


def small_model(path: Path) -> Path:
    """A convolution, enough weights for a push of several parts, and outputs of which one is an integer."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(64, 3, 3, 3)).astype(np.float32)
    wide = random.normal(size=(64, 1 << 16)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("Relu", ["c"], ["map"], name="relu"),
        helper.make_node("ReduceMean", ["map"], ["mean"], name="mean", axes=[2, 3], keepdims=0),
        helper.make_node("ArgMax", ["mean"], ["best"], name="best", axis=1, keepdims=0),
        helper.make_node("MatMul", ["mean", "v"], ["wide"], name="wide"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [
            helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, 64, SIZE - 2, SIZE - 2]),
            helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 64]),
            helper.make_tensor_value_info("best", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("wide", TensorProto.FLOAT, [1, 1 << 16]),
        ],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(wide, "v")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))
    return path


@pytest.fixture(scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def own_cache(cache_directory: Path) -> Iterator[None]:
    """For each module again: those of other folders that ran in between set their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPC_CACHE_DIR", str(cache_directory))
        yield


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool() as pool:
        yield pool


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, pool: WorkerPool, cache_directory: Path) -> Path:
    project = tmp_path_factory.mktemp("project")
    small_model(project / "small.onnx")
    (project / "pyproject.toml").write_text(
        '[tool.aipc]\nsoc = "sm8650"\n[tool.aipc.models.small]\nentry = "small.onnx"\n'
        f'inputs = {{ x = "float32[1,3,{SIZE},{SIZE}]" }}\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPC_CACHE_DIR", str(cache_directory))
        report = engine.deploy(engine.DeployRequest("small", cwd=project), pool)
    assert report.ok, report
    return Path(report.package)


@pytest.fixture(scope="session")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, dict[str, str]]]:
    """The phone, plugged in, with an SDK on this computer; and the variables that lead to both."""
    root = tmp_path_factory.mktemp("phone").resolve()
    sdk = make_sdk(root / "sdk with space")
    with adb_server(root / "home") as environment:
        bench = Bench(root, environment)
        try:
            yield bench, {**environment, "QAIRT_SDK_ROOT": str(sdk)}
        finally:
            bench.phone.close()


@pytest.fixture(scope="module")
def bench(plugged: tuple[Bench, dict[str, str]]) -> Iterator[Bench]:
    """The phone, for the modules that ask for it alone."""
    bench, variables = plugged
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            if name != "HOME":
                patch.setenv(name, value)
        yield bench


@pytest.fixture
def phone(bench: Bench) -> Iterator[Bench]:
    """The phone as at the beginning of the day: plugged in, allowed, nothing on cue."""
    bench.reset()
    yield bench
    bench.reset()


@pytest.fixture
def work(package: Path, tmp_path: Path) -> Work:
    manifest = json.loads((package / "manifest.json").read_text())
    return Work(package, manifest, package / "golden" / "inputs.npz", tmp_path / "outputs.npz", 1, 3)
