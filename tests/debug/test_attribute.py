"""Every inner tensor against fp32: nothing changes by reading, and the error has an author."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import pytest

from aipc.core.types import Event
from aipc.debug.attribute import node_accuracy
from aipc.qairt import package_jobs
from qairt.models import node, noise, save
from qairt.quantized import quantize_static

CHANNELS = 8


def chain(path: Path, *, outlier: float = 1.0) -> tuple[str, dict[str, np.ndarray]]:
    """Four convolutions with Relu; channel 3 of the second is ``outlier`` times larger, and the third ignores it."""
    constants = {f"w{i}": noise(CHANNELS, CHANNELS if i else 3, 3, 3, seed=i, scale=0.2) for i in range(4)}
    constants["w1"][3] *= outlier
    constants["w2"][:, 3] *= outlier == 1
    nodes, x = [], "x"
    for i in range(4):
        nodes += [
            node("Conv", [x, f"w{i}"], [f"c{i}"], f"conv{i}", pads=[1, 1, 1, 1]),
            node("Relu", [f"c{i}"], [f"r{i}"], f"relu{i}"),
        ]
        x = f"r{i}"
    inputs = {"x": noise(1, 3, 16, 16, seed=9)}
    return str(save(path, nodes, inputs, [x], constants)), inputs


def measured(path: Path, model: str, inputs: dict[str, np.ndarray], **more: object):
    npz = str(path / "inputs.npz")
    package_jobs.write_npz(npz, inputs)
    events: list[Event] = []
    return node_accuracy(events.append, model=model, inputs_npz=npz, soc="sm8650", **more)


def test_fp16_reads_what_no_fusion_swallows_and_the_outputs_stay_equal(tmp_path: Path) -> None:
    model, inputs = chain(tmp_path / "m.onnx")
    out = str(tmp_path / "package")
    events: list[Event] = []
    compiled = package_jobs.compile(events.append, model=model, soc="sm8650", out=out)
    npz, actual = str(tmp_path / "inputs.npz"), str(tmp_path / "actual.npz")
    package_jobs.write_npz(npz, inputs)
    package_jobs.run(events.append, package_model=compiled.model, inputs_npz=npz, out_npz=actual, soc="sm8650")
    found = measured(tmp_path, model, inputs, outputs_npz=actual)
    assert found.unchanged is True
    assert set(found.nodes) == {f"relu{i}" for i in range(4)}
    assert found.unread == tuple(f"conv{i}" for i in range(4))
    assert found.nodes["relu2"].group == ("conv2", "relu2")
    assert found.error_of("conv2") is found.nodes["relu2"]
    for error in found.nodes.values():
        assert error.sqnr_db > 50
        assert error.cosine == pytest.approx(1, abs=1e-4)
        assert error.ideal_fp16_sqnr_db is not None
        assert error.introduced_sqnr_db is not None
        assert error.introduced_sqnr_db > error.sqnr_db - 3
    assert sum(error.share for error in found.nodes.values()) == pytest.approx(1)


def test_introduced_and_inherited_add_up_to_the_error(tmp_path: Path) -> None:
    model, inputs = chain(tmp_path / "m.onnx")
    quantized = quantize_static(model, [inputs], tmp_path / "q.onnx", activations=8)
    found = measured(tmp_path, model, inputs, quantized=quantized)
    assert found.unchanged is True
    assert set(found.inputs) == {"x"}
    first = found.nodes["relu0"]
    assert first.inherited_sqnr_db < math.inf, "the quantized input is inherited"
    for error in found.nodes.values():
        parts = [10 ** (-value / 10) for value in (error.introduced_sqnr_db, error.inherited_sqnr_db)]
        assert error.ideal_fp16_sqnr_db is None
        # Of independent errors the powers add up; a correlation moves the sum by at most 3 dB.
        assert -10 * math.log10(sum(parts)) == pytest.approx(error.sqnr_db, abs=3)


def test_the_layer_with_an_outlier_channel_is_blamed_and_not_the_next_one_that_shows_it(tmp_path: Path) -> None:
    model, inputs = chain(tmp_path / "m.onnx", outlier=300)
    quantized = quantize_static(model, [inputs], tmp_path / "q.onnx", activations=8)
    found = measured(tmp_path, model, inputs, quantized=quantized)
    hostile, following = found.nodes["relu1"], found.nodes["relu2"]
    assert hostile.sqnr_db > following.sqnr_db, "the large channel hides what is lost in the small ones"
    assert following.introduced_sqnr_db > following.inherited_sqnr_db + 10
    worst, error = found.worst()[0]
    assert worst == "relu1"
    assert error.group == ("conv1", "relu1")
    assert error.share > 0.8
    assert error.channel == 3
    assert error.channel_spread > 50


def test_a_changed_graph_is_said_to_be_one(tmp_path: Path) -> None:
    model, inputs = chain(tmp_path / "m.onnx")
    quantized = quantize_static(model, [inputs], tmp_path / "q.onnx", activations=8)
    other = str(tmp_path / "other.npz")
    package_jobs.write_npz(other, {"r3": np.zeros((1, CHANNELS, 16, 16), np.float32)})
    assert measured(tmp_path, model, inputs, quantized=quantized, outputs_npz=other).unchanged is False


def test_a_graph_of_which_nothing_can_be_read_says_so(tmp_path: Path) -> None:
    nodes = [node("Cast", ["x"], ["y"], "cast", to=onnx.TensorProto.INT32)]
    inputs = {"x": noise(2, 3)}
    model = str(save(tmp_path / "m.onnx", nodes, inputs, ["y"]))
    found = measured(tmp_path, model, inputs)
    assert not found.nodes
    assert found.notes
