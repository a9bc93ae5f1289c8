from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from aipc.numerics.fp16 import FP16_MAX, ideal_fp16_sqnr, round_fp16, run_ideal_fp16
from aipc.numerics.stepper import Stepper, load
from qairt.models import node, noise, save


def test_rounding_is_half_to_even_and_keeps_the_dtype() -> None:
    step = 2.0**-10
    values = np.float32([1 + step / 2, 1 + 3 * step / 2, -1 - step / 2, 0.0, -0.0, 2.0**-24, 2.0**-26])
    rounded = round_fp16(values)
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(rounded, np.float32([1, 1 + 2 * step, -1, 0.0, -0.0, 2.0**-24, 0.0]))
    assert np.signbit(rounded[4])


def test_the_top_exponent_holds_numbers_and_everything_above_saturates() -> None:
    values = np.float32([65504, 65519, 65536, 65567, 65569, -100000, 131008, 2e5, math.inf, -math.inf, math.nan])
    wanted = [65504, 65536, 65536, 65536, 65600, -99968, FP16_MAX, FP16_MAX, FP16_MAX, -FP16_MAX, FP16_MAX]
    np.testing.assert_array_equal(round_fp16(values), np.float32(wanted))


def test_integers_are_left_alone() -> None:
    values = np.int64([2**40 + 1, -3])
    assert round_fp16(values) is values


def test_every_node_is_rounded(tmp_path: Path) -> None:
    x = noise(4, 64)
    weight = noise(64, 8, seed=1)
    path = save(tmp_path / "m.onnx", [node("MatMul", ["x", "w"], ["y"], "mm")], {"x": x}, ["y"], {"w": weight})
    outputs = run_ideal_fp16(Stepper(load(path)), {"x": x})
    half = x.astype(np.float16).astype(np.float64) @ weight.astype(np.float16).astype(np.float64)
    np.testing.assert_allclose(outputs["y"], half.astype(np.float16).astype(np.float32), rtol=2**-10)
    assert np.array_equal(outputs["y"], round_fp16(outputs["y"]))
    assert 60 < ideal_fp16_sqnr(path, {"x": x})["y"] < 80


def test_the_scales_of_a_resize_are_not_data(tmp_path: Path) -> None:
    x = noise(1, 1, 3, 30)
    scales = np.float32([1, 1, 1, 0.7])  # 0.7 in fp16 is above 0.7: the output would be one column wider or not
    nodes = [node("Resize", ["x", "", "s"], ["y"], "resize", mode="nearest")]
    path = save(tmp_path / "m.onnx", nodes, {"x": x}, ["y"], {"s": scales})
    stepper = Stepper(load(path))
    np.testing.assert_array_equal(run_ideal_fp16(stepper, {"x": x})["y"], round_fp16(stepper.walk({"x": x})["y"]))


def test_an_integer_graph_has_no_fp16_error(tmp_path: Path) -> None:
    x = np.int64([1, -7, 2**40])
    path = save(tmp_path / "m.onnx", [node("Mul", ["x", "x"], ["y"], "mul")], {"x": x}, ["y"])
    assert ideal_fp16_sqnr(path, {"x": x}) == {"y": pytest.approx(math.inf)}
