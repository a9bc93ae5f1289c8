"""A graph with scales of its own: taken apart, and put together again with the same scales."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from aipc.core.errors import InputError
from aipc.quantize.plan import own_plan
from aipc.quantize.prepare_graph import prepare
from aipc.quantize.quantizer import write_integers
from aipc.quantize.take_out_scales import nodes_in_float, take_out

STEPS = {"x": (0.02, 128), "y": (0.015, 0), "z": (0.03, 100)}
"""Scale and zero point of the activations below."""


def qdq(tensor: str, scale: float, zero: int, result: str, kind: type = np.uint8) -> tuple[list, list]:
    """The two nodes and their constants."""
    names = [f"{result}_scale", f"{result}_zero"]
    constants = [
        numpy_helper.from_array(np.array(scale, np.float32), names[0]),
        numpy_helper.from_array(np.array(zero, kind), names[1]),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", [tensor, *names], [f"{result}_q"], name=f"{result}_Q"),
        helper.make_node("DequantizeLinear", [f"{result}_q", *names], [result], name=f"{result}_DQ"),
    ]
    return nodes, constants


def quantized_model(
    steps: dict[str, tuple[float, int]] = STEPS, *, tail: list | None = None, kind: type = np.uint8
) -> onnx.ModelProto:
    """Conv, Relu and a product by a transposed weight, each with scales; ``tail``: nodes that take ``z``."""
    draw = np.random.default_rng(0)
    weight = draw.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    table = draw.integers(-127, 128, (5, 4)).astype(np.int8)
    constants = [
        numpy_helper.from_array(weight, "w_q"),
        numpy_helper.from_array(np.array([0.002, 0.003, 0.001, 0.002], np.float32), "w_scale"),
        numpy_helper.from_array(np.zeros(4, np.int8), "w_zero"),
        numpy_helper.from_array(table, "t_q"),
        numpy_helper.from_array(np.linspace(0.01, 0.02, 5, dtype=np.float32), "t_scale"),
        numpy_helper.from_array(np.zeros(5, np.int8), "t_zero"),
        numpy_helper.from_array(draw.standard_normal(4).astype(np.float32) / 10, "b"),
        numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
    ]
    nodes = []
    for name, (tensor, result) in {"x": ("image", "x"), "y": ("relu", "y"), "z": ("product", "z")}.items():
        pair, more = qdq(tensor, *steps[name], result, kind)
        constants += more
        nodes.append(pair)
    x, y, z = nodes
    graph = [
        *x,
        helper.make_node("DequantizeLinear", ["w_q", "w_scale", "w_zero"], ["w"], name="w_DQ", axis=0),
        helper.make_node("DequantizeLinear", ["t_q", "t_scale", "t_zero"], ["t"], name="t_DQ", axis=0),
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], name="conv_node"),
        helper.make_node("Relu", ["conv"], ["relu"], name="relu_node"),
        *y,
        helper.make_node("ReduceMean", ["y", "axes"], ["mean"], name="mean_node", keepdims=0),
        helper.make_node("Transpose", ["t"], ["turned"], name="transpose_node", perm=[1, 0]),
        helper.make_node("MatMul", ["mean", "turned"], ["product"], name="product_node"),
        *z,
        *(tail or []),
    ]
    out = tail[-1].output[0] if tail else "z"
    model = helper.make_model(
        helper.make_graph(
            graph,
            "own",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])],
            [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, 5])],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )
    onnx.checker.check_model(model)
    return onnx.shape_inference.infer_shapes(model)


def run(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image})[0]


def scales(model: onnx.ModelProto) -> set[tuple[float, int]]:
    """(scale, zero point) of every QuantizeLinear."""
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    pairs = [node.input[1:3] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    return {(round(float(constants[scale]), 6), int(constants[zero])) for scale, zero in pairs}


def written(model: onnx.ModelProto) -> onnx.ModelProto:
    plain, own = take_out(model)
    plan = own_plan(8, 8)
    ready = prepare(plain, plan, {"mean": (0.0, 1.0), **own.ranges()}, {}, own=own)
    return write_integers(ready.model, plan, ready.ranges, ready.float_nodes, ready.overrides)


def test_the_float_graph_has_the_weights_that_the_integers_mean() -> None:
    model = quantized_model()
    plain, own = take_out(model)
    assert [node.op_type for node in plain.graph.node] == ["Conv", "Relu", "ReduceMean", "MatMul"]
    weights = {item.name: numpy_helper.to_array(item) for item in plain.graph.initializer}
    assert np.abs(weights["w"][1] / 0.003 - np.rint(weights["w"][1] / 0.003)).max() < 1e-3
    assert own.weights["turned"][1].axis == 1
    assert own.activations.keys() == {"image", "relu", "z"}


def test_every_scale_stays_what_it_was() -> None:
    image = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)
    model = quantized_model()
    expected = run(model, image)
    result = written(model)
    assert {(0.02, 128), (0.015, 0), (0.03, 100)} <= scales(result)
    names = [node.name for node in result.graph.node]
    assert len(names) == len(set(names))
    # One more rounding than the model has: the mean has no scale of its own.
    assert np.abs(run(result, image) - expected).max() < 1.01 * 0.03


def test_signed_activations_are_the_same_numbers_counted_from_zero() -> None:
    shifted = {name: (scale, zero - 128) for name, (scale, zero) in STEPS.items()}
    _, own = take_out(quantized_model(shifted, kind=np.int8))
    assert own.activations["z"].ends == pytest.approx((-100 * 0.03, 155 * 0.03))
    assert own.activations["z"].unsigned() == (np.float32(0.03), 100)


def test_what_has_no_scale_behind_it_is_in_float() -> None:
    tail = [helper.make_node("Softmax", ["z"], ["p"], name="softmax_node")]
    plain, own = take_out(quantized_model(tail=tail))
    assert nodes_in_float(plain, own) == ("mean_node", "softmax_node")


def test_a_normalization_behind_the_layer_scales_its_grid() -> None:
    pair, constants = qdq("normal", 0.05, 0, "out")
    draw = np.random.default_rng(2)
    weight = draw.integers(-127, 128, (4, 3, 1, 1)).astype(np.int8)
    gamma = np.array([0.5, 2.0, 1.0, 4.0], np.float32)
    constants += [
        numpy_helper.from_array(weight, "w_q"),
        numpy_helper.from_array(np.array(0.01, np.float32), "w_scale"),
        numpy_helper.from_array(np.array(0, np.int8), "w_zero"),
        numpy_helper.from_array(gamma, "gamma"),
        *(
            numpy_helper.from_array(np.full(4, value, np.float32), name)
            for name, value in (("beta", 0), ("mean", 0), ("var", 1))
        ),
    ]
    nodes = [
        helper.make_node("DequantizeLinear", ["w_q", "w_scale", "w_zero"], ["w"], name="w_DQ"),
        helper.make_node("Conv", ["image", "w"], ["conv"], name="conv_node"),
        helper.make_node(
            "BatchNormalization", ["conv", "gamma", "beta", "mean", "var"], ["normal"], name="bn", epsilon=0.0
        ),
        *pair,
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("image", [1, 3, 4, 4]), ("out", [1, 4, 4, 4]))
    ]
    graph = helper.make_graph(nodes, "bn", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    plain, own = take_out(onnx.shape_inference.infer_shapes(model))
    ready = prepare(plain, own_plan(8, 8), {"image": (-1.0, 1.0), **own.ranges()}, {}, own=own)
    folded = next(node for node in ready.model.graph.node if node.op_type == "Conv").input[1]
    assert [float(item["scale"]) for item in ready.overrides[folded]] == pytest.approx(list(0.01 * gamma))


def test_operators_that_compute_in_integers_are_named() -> None:
    model = quantized_model()
    last = next(node for node in model.graph.node if node.name == "y_DQ")
    between = helper.make_node("Identity", ["y_q"], ["y_copy"], name="copy_of_integers")
    last.input[0] = "y_copy"
    model.graph.node.insert(list(model.graph.node).index(last), between)
    with pytest.raises(InputError, match="y_Q stands beside an operator on integers"):
        take_out(model)
