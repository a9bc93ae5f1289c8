from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aipc.core.errors import InputError, ModelLoadError
from aipc.numerics.cpu import run_cpu
from qairt.models import node, noise, save


@pytest.fixture
def model(tmp_path: Path) -> Path:
    x, i = noise(2, 3), np.arange(2)
    nodes = [node("Gather", ["x", "i"], ["g"], "gather"), node("Add", ["g", "x"], ["y"], "add")]
    return save(tmp_path / "m.onnx", nodes, {"x": x, "i": i}, ["y", "g"])


def test_outputs_are_named_and_in_order(model: Path) -> None:
    x = noise(2, 3)
    outputs = run_cpu(model, {"i": np.array([1, 0]), "x": x})
    assert list(outputs) == ["y", "g"]
    np.testing.assert_array_equal(outputs["g"], x[::-1])
    np.testing.assert_array_equal(outputs["y"], x[::-1] + x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"i": None}, "'i' is missing"),
        ({"z": np.zeros(1)}, "no input 'z'"),
        ({"x": np.zeros((2, 3))}, "float64, the model takes float32"),
        ({"x": noise(3, 2)}, r"shape \[3, 2\], the model takes \[2, 3\]"),
    ],
)
def test_inputs_that_do_not_fit_are_named(model: Path, change: dict[str, np.ndarray], message: str) -> None:
    inputs = {"x": noise(2, 3), "i": np.arange(2), **change}
    with pytest.raises(InputError, match=message):
        run_cpu(model, {name: value for name, value in inputs.items() if value is not None})


def test_a_corrupt_or_missing_file_is_a_load_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not onnx")
    with pytest.raises(ModelLoadError, match=r"cannot load broken\.onnx"):
        run_cpu(broken, {})
    with pytest.raises(ModelLoadError, match="there is no ONNX file"):
        run_cpu(tmp_path / "missing.onnx", {})
