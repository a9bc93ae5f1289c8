from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aipc.core.errors import InputError, PackageError, QairtError, UnknownSoCError
from aipc.numerics.cpu import run_cpu
from aipc.numerics.metrics import compare_outputs
from aipc.qairt.compile import compatibility, compile_context, memory_traffic, read_context
from aipc.qairt.simulate import run_context

from .models import node, noise, save


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two inputs (one int64) and three outputs."""
    nodes = [
        node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"], "relu"),
        node("Gather", ["r", "i"], ["g"], "gather", axis=1),
        node("ArgMax", ["g"], ["a"], "argmax", axis=1, keepdims=0),
    ]
    inputs = {"x": noise(1, 3, 8, 8), "i": np.array([5, 0, 2])}
    return save(tmp_path / "m.onnx", nodes, inputs, ["r", "g", "a"], {"w": noise(8, 3, 3, 3, seed=1)})


def test_a_compiled_model_runs_and_agrees(model: Path, tmp_path: Path) -> None:
    compiled = compile_context(model, "sm8650", tmp_path / "out", allow_cpu=False)
    assert (compiled.htp_arch, compiled.soc_id, compiled.npu_partitions, compiled.cpu_nodes) == (
        75,
        57,
        1,
        (),
    )
    assert compatibility(compiled.compatibility[0]) == (75, 57)
    for path in (compiled.model, *compiled.binaries):
        data = Path(path).read_bytes()
        assert compiled.sizes[Path(path).name] == len(data)
        assert compiled.sha256[Path(path).name] == hashlib.sha256(data).hexdigest()
    inputs = {"x": noise(1, 3, 8, 8, seed=2), "i": np.array([1, 7, 3])}
    execution = run_context(compiled.model, inputs, "sm8650")
    assert list(execution.outputs) == ["r", "g", "a"]
    accuracy = compare_outputs(run_cpu(model, inputs), execution.outputs)
    assert all(output.sqnr_db > 55 for output in accuracy[:2])
    assert execution.host_run_seconds > 0


def test_a_node_that_the_npu_refuses_stays_on_the_cpu_or_is_an_error(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], "relu"),
        node("Det", ["a"], ["d"], "det"),
        node("Mul", ["d", "d"], ["y"], "mul"),
    ]
    x = noise(4, 3, 3)
    path = save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"])
    compiled = compile_context(path, "sm8650", tmp_path / "out")
    assert compiled.cpu_nodes == ("det",)
    assert compiled.npu_partitions == 2
    actual = run_context(compiled.model, {"x": x}, "sm8650").outputs
    assert compare_outputs(run_cpu(path, {"x": x}), actual)[0].sqnr_db > 50
    with pytest.raises(QairtError, match="could not compile"):
        compile_context(path, "sm8650", tmp_path / "strict", allow_cpu=False)
    assert {item.name for item in (tmp_path / "strict").iterdir()} <= {"compile.log"}


def test_a_package_for_another_chip_or_damaged_is_refused(model: Path, tmp_path: Path) -> None:
    inputs = {"x": noise(1, 3, 8, 8), "i": np.array([1, 7, 3])}
    compiled = compile_context(model, "sm8550", tmp_path / "out")
    with pytest.raises(PackageError, match=r"compiled for SoC 43 \(HTP v73\), not for sm8650"):
        run_context(compiled.model, inputs, "sm8650")
    with pytest.raises(InputError, match="'i' is missing"):
        run_context(compiled.model, {"x": inputs["x"]}, "sm8550")
    with pytest.raises(UnknownSoCError):
        compile_context(model, "sm86500", tmp_path / "other")
    Path(compiled.binaries[0]).unlink()
    with pytest.raises(PackageError, match="is missing"):
        run_context(compiled.model, inputs, "sm8550")
    with pytest.raises(PackageError, match="no compiled NPU graph"):
        read_context(model)


CHILD = """
import json, sys
from dataclasses import asdict
from aipc.qairt.compile import compile_context
print(json.dumps(asdict(compile_context(sys.argv[1], "sm8650", sys.argv[2]))))
"""


def test_fresh_processes_give_the_same_bytes_and_the_compilers_memory_figures(model: Path, tmp_path: Path) -> None:
    results = []
    for name in ("a", "b"):
        command = [sys.executable, "-c", CHILD, str(model), str(tmp_path / name)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        results.append(json.loads(text.strip().splitlines()[-1]))
    assert results[0]["sha256"] == results[1]["sha256"]
    traffic = results[0]["traffic"]
    assert traffic["const_bytes"] > 0
    assert traffic["graph_io_bytes"] > 0
    assert traffic["read_bytes"] > 0
    assert "QnnLogging" in (tmp_path / "a" / "compile.log").read_text()


def test_memory_figures_of_several_graphs_are_summed() -> None:
    lines = [
        "====== DDR bandwidth summary ======",
        "spill_bytes=10",
        " <V> constSize=5",
        "spill_bytes=7",
        "x_spill_bytes=9",
    ]
    traffic = memory_traffic(lines)
    assert (traffic.spill_bytes, traffic.const_bytes, traffic.read_bytes) == (17, 5, None)
