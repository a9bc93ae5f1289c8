"""QAIRT's answer for every node: complete, with all refusals at once, the same as a plain session's."""

from __future__ import annotations

import json
import subprocess
import sys

import onnx
import pytest
from onnx import TensorProto, helper

from aipc.core.types import Placement
from aipc.qairt.placement import place
from aipc.qairt.soc import get_soc

PLAIN = """
import json, sys
import onnxruntime, onnxruntime_qnn
onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
options.add_provider_for_devices(
    devices, {"backend_path": onnxruntime_qnn.get_qnn_htp_path(), "soc_model": sys.argv[2], "htp_arch": sys.argv[3]}
)
session = onnxruntime.InferenceSession(sys.argv[1], options)
parts = session.get_provider_graph_assignment_info()
print(json.dumps(sorted(n.name for part in parts if part.ep_name == "CPUExecutionProvider" for n in part.get_nodes())))
"""


def write(tmp_path, nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path))
    return path


def mixed(tmp_path):
    pads = helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1])
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Einsum", ["a", "a"], ["b"], name="product", equation="bchw,bnhw->bcn"),
        helper.make_node("Relu", ["b"], ["y"], name="second"),
        helper.make_node("Pad", ["a", "pads"], ["c"], name="ring", mode="wrap"),
        helper.make_node("Relu", ["c"], ["z"], name="third"),
    ]
    return write(tmp_path, nodes, {"x": [1, 4, 8, 8]}, {"y": [1, 4, 4], "z": [1, 4, 10, 10]}, [pads])


@pytest.mark.parametrize("soc", ["sm8450", "sm8550", "sm8650", "sm8750", "sm8850"])
def test_the_list_is_complete_and_equals_a_plain_session_s(tmp_path, soc):
    path, chip = mixed(tmp_path), get_soc(soc)
    report = place(path, chip, finalize=True)
    assert [node.node for node in report.nodes] == ["first", "product", "second", "ring", "third"]
    on_cpu = sorted(node.node for node in report.nodes if node.placement is Placement.CPU)
    command = [sys.executable, "-c", PLAIN, str(path), str(chip.soc_id), str(chip.htp_arch)]
    plain = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert on_cpu == json.loads(plain.stdout.strip().splitlines()[-1]), plain.stderr
    assert on_cpu == ["product", "ring"]
    assert report.finalized


def test_every_refusal_carries_the_compiler_s_own_reason(tmp_path):
    report = place(mixed(tmp_path), get_soc("sm8650"))
    reasons = {node.node: node.reason for node in report.nodes if node.reason}
    assert reasons["product"] == "Einsum unsupported equation: bchw,bnhw->bcn"
    assert reasons["ring"] == "Pad mode only support constant."


def test_cuts_name_the_nodes_that_split_the_npu_part_and_their_traffic(tmp_path):
    report = place(mixed(tmp_path), get_soc("sm8650"))
    sizes = {cut.node: cut.bytes_crossing for cut in report.cuts}
    assert sizes == {"product": 4 * (256 + 16), "ring": 4 * (256 + 400)}
    assert report.npu_partitions == 2


def test_a_node_that_aborts_the_session_is_named_and_the_others_are_still_placed(tmp_path):
    grid = {"x": [1, 2, 4, 8, 8], "grid": [1, 4, 8, 8, 3]}
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="before"),
        helper.make_node("GridSample", ["a", "grid"], ["b"], name="sample", mode="linear"),
        helper.make_node("Relu", ["b"], ["y"], name="after"),
    ]
    report = place(write(tmp_path, nodes, grid, {"y": [1, 2, 4, 8, 8]}), get_soc("sm8650"), finalize=True)
    placed = {node.node: node.placement for node in report.nodes}
    assert placed == {"before": Placement.NPU, "sample": Placement.FAILS, "after": Placement.NPU}
    assert "com.ms.internal.nhwc" in next(node.reason for node in report.nodes if node.node == "sample")


def test_without_fp16_the_reason_is_fp16(tmp_path):
    report = place(mixed(tmp_path), get_soc("qcs6490"), finalize=True)
    assert report.count(Placement.NPU) == 0
    assert "FP16" in next(node.reason for node in report.nodes if node.node == "first")


def test_a_rejected_norm_is_found_at_finalize(tmp_path):
    """``weight * x`` after a root mean square passes validation and cannot be built for 128 tokens."""
    import numpy as np

    weight = onnx.numpy_helper.from_array(np.linspace(0.5, 1.5, 512, dtype=np.float32), "weight")
    two = onnx.numpy_helper.from_array(np.float32(2.0), "two")
    epsilon = onnx.numpy_helper.from_array(np.float32(1e-6), "epsilon")
    axes = onnx.numpy_helper.from_array(np.array([-1], dtype=np.int64), "axes")
    nodes = [
        helper.make_node("Pow", ["x", "two"], ["square"], name="square"),
        helper.make_node("ReduceMean", ["square", "axes"], ["mean"], name="mean", keepdims=1),
        helper.make_node("Add", ["mean", "epsilon"], ["shifted"], name="shift"),
        helper.make_node("Sqrt", ["shifted"], ["root"], name="root"),
        helper.make_node("Reciprocal", ["root"], ["inverse"], name="inverse"),
        helper.make_node("Mul", ["x", "inverse"], ["normal"], name="normalize"),
        helper.make_node("Mul", ["weight", "normal"], ["y"], name="scale"),
    ]
    path = write(tmp_path, nodes, {"x": [1, 128, 512]}, {"y": [1, 128, 512]}, [weight, two, epsilon, axes])
    report = place(path, get_soc("sm8650"), finalize=True)
    failing = [node for node in report.nodes if node.placement is Placement.FAILS]
    assert [node.node for node in failing] == ["scale"]
    assert "could not create op" in failing[0].reason
