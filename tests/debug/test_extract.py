"""Parts that are cut out of a graph to show a failure again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from tests.quantize.test_take_out_scales import quantized_model

from aipc.debug.jobs import extract
from aipc.numerics.cpu import run_cpu
from aipc.numerics.npz import read_npz, write_npz


def test_a_part_of_a_quantized_graph_has_its_scales_and_a_border_in_float(tmp_path: Path) -> None:
    model, inputs = tmp_path / "model.onnx", tmp_path / "inputs.npz"
    whole = quantized_model()
    whole.graph.output.append(onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4, 6, 6]))
    onnx.save(whole, str(model))
    write_npz(inputs, {"image": np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)})
    out = tmp_path / "part"
    out.mkdir()
    number = extract(
        lambda event: None, model=str(model), inputs=str(inputs), nodes=["conv_node", "relu_node"], out=str(out)
    )
    part = onnx.load(str(out / "model.onnx"))
    kinds = [node.op_type for node in part.graph.node]
    assert kinds == ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "Conv", "Relu", *kinds[:2]]
    assert number == 7
    assert [value.name for value in part.graph.input] == ["image"]
    given = read_npz(out / "inputs.npz")
    assert np.array_equal(run_cpu(out / "model.onnx", given)["y"], run_cpu(model, read_npz(inputs))["y"])
