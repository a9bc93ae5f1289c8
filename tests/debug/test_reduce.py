from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest

from aipc.core.errors import QairtError
from aipc.debug.reduce import reduce_failure
from aipc.graph.trial import TrialOutcome
from aipc.numerics.cpu import run_cpu
from qairt.models import Array, node, noise, save


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Thirty nodes; a Tanh and the Exp that follows it are in the middle."""
    ops = ["Neg", "Abs", "Relu"] * 10
    ops[16:18] = ["Tanh", "Exp"]
    nodes = [node(op, ["x" if k == 0 else f"t{k}"], [f"t{k + 1}"], f"n{k}") for k, op in enumerate(ops)]
    return save(tmp_path / "chain.onnx", nodes, {"x": noise(8)}, ["t30"])


def ops_of(path: Path) -> set[str]:
    return {item.op_type for item in onnx.load(path).graph.node}


def test_the_smallest_failing_pair_is_found_with_its_true_inputs(chain: Path, tmp_path: Path) -> None:
    def predicate(path: Path, inputs: Mapping[str, Array]) -> TrialOutcome:
        run_cpu(path, inputs)  # a candidate is always a valid model with fitting inputs
        return TrialOutcome.FAIL if ops_of(path) >= {"Tanh", "Exp"} else TrialOutcome.PASS

    reduced = reduce_failure(chain, {"x": noise(8)}, predicate, tmp_path / "out")
    assert reduced.nodes == ("n16", "n17")
    assert (reduced.original_nodes, reduced.minimal) == (30, True)
    with np.load(reduced.inputs_npz) as data:
        inputs = dict(data)
    whole = run_cpu(chain, {"x": noise(8)})["t30"]
    small = run_cpu(reduced.model, inputs)["t18"]
    assert set(inputs) == {"t16"}
    np.testing.assert_allclose(small, whole, rtol=1e-6)  # the rest only negates and takes magnitudes
    assert {item.name for item in (tmp_path / "out").iterdir()} == {"reduced.onnx", "reduced.npz"}


def test_unknown_is_never_taken_for_the_failure(chain: Path, tmp_path: Path) -> None:
    def predicate(path: Path, inputs: Mapping[str, Array]) -> TrialOutcome:
        if "Relu" not in ops_of(path):
            return TrialOutcome.UNKNOWN
        return TrialOutcome.FAIL if "Exp" in ops_of(path) else TrialOutcome.PASS

    reduced = reduce_failure(chain, {"x": noise(8)}, predicate, tmp_path / "out", start=["n17"])
    assert ops_of(Path(reduced.model)) == {"Relu", "Exp"}
    assert len(reduced.nodes) == 2


def test_a_model_that_does_not_fail_is_refused(chain: Path, tmp_path: Path) -> None:
    with pytest.raises(QairtError, match="nothing to reduce"):
        reduce_failure(chain, {"x": noise(8)}, lambda *_: TrialOutcome.PASS, tmp_path / "out")


CHILD = """
import sys
import numpy as np
from aipc.debug.reduce import numbers_outcome, reduce_failure
inputs = dict(np.load(sys.argv[2]))
print(*reduce_failure(sys.argv[1], inputs, numbers_outcome("sm8650"), sys.argv[3]).nodes)
"""


def test_wrong_numbers_of_the_real_simulator_are_reduced_to_their_node(tmp_path: Path) -> None:
    x, v = noise(1, 2, 4, 6), noise(1, 2, 4, 6, 6, seed=3)
    nodes = [
        node("Relu", ["v"], ["a"], "relu"),
        node("Resize", ["a", "", "scales"], ["b"], "trilinear", mode="linear"),
        node("Neg", ["b"], ["c"], "neg"),
        node("Abs", ["x"], ["d"], "abs"),
        node("Add", ["d", "d"], ["e"], "add"),
    ]
    inputs = {"x": x, "v": v}
    path = save(tmp_path / "m.onnx", nodes, inputs, ["c", "e"], {"scales": np.float32([1, 1, 2, 2, 2])})
    np.savez(tmp_path / "in.npz", **inputs)
    command = [sys.executable, "-c", CHILD, str(path), str(tmp_path / "in.npz"), str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().splitlines()[-1] == "trilinear"
