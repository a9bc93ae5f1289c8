"""Raw files for qnn-net-run: written as the context binary stores tensors, and read back as the package's outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from aipc.core.child_process import run_isolated
from aipc.core.errors import InputError, PackageError, QairtError
from aipc.qairt.compile import compile_context
from aipc.qairt.context_info import ContextTensor, read_context_info
from aipc.qairt.net_run import (
    Border,
    NetRun,
    arguments,
    from_stored,
    output_files,
    plan,
    read_outputs,
    stored_inputs,
    write_inputs,
)
from aipc.qairt.net_run_profile import read_net_run_profile
from aipc.qairt.runtime import qairt_version

QUANTIZED = ContextTensor("q", "uint8", (1, 4), 0.5, -128)
PLAIN = ContextTensor("x", "float32", (1, 4))


def net_run(tensor: ContextTensor, dtype: str = "float32", shape: tuple[int, ...] = (1, 4)) -> NetRun:
    border = Border("image", dtype, shape, tensor)
    return NetRun(Path("context.bin"), "graph", (border,), (border,))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("compiled")
    weights = numpy_helper.from_array(np.ones((4, 8), np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["y"]),
            helper.make_node("ArgMax", ["y"], ["best"], axis=1, keepdims=0),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8]),
            helper.make_tensor_value_info("best", TensorProto.INT64, [1]),
        ],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(directory / "plain.onnx"))
    done = run_isolated(compile_context, directory / "plain.onnx", "sm8650", directory / "package", seconds=120)
    assert done.status == "ok", done.reason
    return directory / "package"


def manifest(**changes):
    return {
        "entry": "model.onnx",
        "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 4]}],
        "outputs": [
            {"name": "y", "dtype": "float32", "shape": [1, 8]},
            {"name": "best", "dtype": "int64", "shape": [1]},
        ],
        **changes,
    }


def test_a_binary_tells_what_it_holds(compiled):
    info = read_context_info(next(compiled.glob("*.bin")))
    assert info.build.startswith(f"v{qairt_version()}")
    assert info.soc_model == 57
    (graph,) = info.graphs
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in graph.inputs] == [("x", "float32", (1, 4))]
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in graph.outputs] == [
        ("y", "float32", (1, 8)),
        ("best", "int64", (1,)),
    ]


def test_what_is_no_binary_or_a_cut_one_is_said_so(compiled, tmp_path):
    content = next(compiled.glob("*.bin")).read_bytes()
    for name, data in {"empty.bin": b"", "text.bin": b"hello" * 100, "long.bin": content + bytes(64)}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PackageError, match=name):
            read_context_info(tmp_path / name)
    with pytest.raises(PackageError, match="cannot be read"):
        read_context_info(tmp_path / "absent.bin")


def test_the_plan_of_a_package(compiled):
    found = plan(compiled, manifest())
    assert [border.name for border in found.inputs] == ["x"]
    assert [border.name for border in found.outputs] == ["y", "best"]


def test_a_package_that_is_not_one_binary_alone_is_refused(compiled, tmp_path):
    with pytest.raises(PackageError, match="'best', which the manifest does not name"):
        plan(compiled, manifest(outputs=manifest()["outputs"][:1]))
    with pytest.raises(PackageError, match=r"\[1, 5\] in the manifest and \[1, 4\]"):
        plan(compiled, manifest(inputs=[{"name": "x", "dtype": "float32", "shape": [1, 5]}]))
    model = onnx.load(str(compiled / "model.onnx"), load_external_data=False)
    model.graph.node.append(helper.make_node("Det", ["y"], ["d"]))
    onnx.save(model, str(compiled / "with_cpu.onnx"))
    with pytest.raises(PackageError, match="1 node on the CPU, and qnn-net-run runs one context binary alone"):
        plan(compiled, manifest(), "with_cpu.onnx")


def test_inputs_are_written_by_number_and_named_in_the_list(tmp_path):
    array = np.array([[0.0, -0.0, 1e-7, 3e38]], np.float32)
    assert write_inputs(net_run(PLAIN), {"image": array}, tmp_path) == ("input_0.raw", "input_list.txt")
    assert (tmp_path / "input_0.raw").read_bytes() == array.tobytes()
    assert (tmp_path / "input_list.txt").read_text() == "x:=input_0.raw\n"


@pytest.mark.parametrize("name", ["a b", "x:=y", "#x", "../x", "ü;rm", ""])
def test_a_name_that_the_list_would_misread_is_left_out(tmp_path, name):
    write_inputs(net_run(ContextTensor(name, "float32", (1, 4))), {"image": np.zeros((1, 4), np.float32)}, tmp_path)
    line = (tmp_path / "input_list.txt").read_text()
    assert line in {"input_0.raw\n", f"{name}:=input_0.raw\n"}
    assert set(line) <= set("abcdefghijklmnopqrstuvwxyz0123456789_./:=-\n")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".raw"] == ["input_0.raw"]


def test_quantized_tensors_round_clamp_and_come_back():
    # Real value = (stored + offset) * scale: 0.5 a step, 0 is stored as 128.
    values = np.array([[-1000.0, 0.0, 0.74, 1000.0]], np.float32)
    stored = stored_inputs(net_run(QUANTIZED), {"image": values})["q"]
    assert stored.dtype == np.uint8
    assert stored.tolist() == [[0, 128, 129, 255]]
    back = from_stored(net_run(QUANTIZED), {"q": stored})["image"]
    assert back.dtype == np.float32
    assert back.tolist() == [[-64.0, 0.0, 0.5, 63.5]]


def test_an_input_that_is_missing_or_does_not_fit_is_told():
    with pytest.raises(InputError, match="no array 'image'"):
        stored_inputs(net_run(PLAIN), {})
    with pytest.raises(InputError, match=r"float64\[1, 4\] and the package takes float32\[1, 4\]"):
        stored_inputs(net_run(PLAIN), {"image": np.zeros((1, 4))})


def test_outputs_are_read_in_their_own_type_or_as_floats(tmp_path):
    half = net_run(ContextTensor("y", "float16", (1, 4)))
    (tmp_path / "n").write_bytes(np.array([1, 2, 3, 4], np.float16).tobytes())
    (tmp_path / "f").write_bytes(np.array([1, 2, 3, 4], np.float32).tobytes())
    (tmp_path / "short").write_bytes(b"\0" * 7)
    for name, native in (("n", True), ("f", False)):
        found = read_outputs(half, {0: (tmp_path / name, native)})["image"]
        assert (found.dtype, found.tolist()) == (np.float32, [[1.0, 2.0, 3.0, 4.0]])
    with pytest.raises(PackageError, match="has 7 bytes; 4 of float16 are 8"):
        read_outputs(half, {0: (tmp_path / "short", True)})
    with pytest.raises(PackageError, match="wrote no output 'image'"):
        read_outputs(half, {})


def test_no_name_of_an_output_leads_elsewhere():
    for name in ("../../etc/passwd", "/etc/passwd", "a/b", "7", "ünï;x"):
        files = output_files(Border(name, "float32", (1,), ContextTensor(name, "float32", (1,))))
        assert not any(".." in file or file.startswith("/") for file in files)
        assert files
    assert output_files(Border("o", "float32", (1,), ContextTensor("7", "float32", (1,))))[:2] == (
        "7_native.raw",
        "7.raw",
    )


def test_the_command_line():
    words = arguments(
        backend="/r/libQnnHtp.so",
        binary="/p/context.bin",
        repeat=13,
        performance="burst",
        detailed=False,
        results="out",
    )
    assert " ".join(words) == (
        "--backend /r/libQnnHtp.so --retrieve_context /p/context.bin --input_list input_list.txt --output_dir out "
        "--use_native_input_files --use_native_output_files --perf_profile burst --profiling_level basic "
        "--num_inferences 13 --keep_num_outputs 1 --log_level error"
    )


PROFILE = """\
Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier
1,INIT,74748,US,NETRUN,ROOT,
2,EXECUTE,9000,US,NETRUN,ROOT,Graph 0 (model)
2,EXECUTE,8000,US,BACKEND,ROOT,QNN accelerator (execute) time
2,NODE,6137,CYCLES,BACKEND,SUB-EVENT,fc_token_1:OpId_17 (cycles)
2,NODE,0,CYCLES,BACKEND,SUB-EVENT,"bias, add:OpId_21 (cycles)"
3,EXECUTE,2952,US,NETRUN,ROOT,Graph 0 (model)
3,EXECUTE,4,COUNT,BACKEND,ROOT,Number of HVX threads used
3,EXECUTE,2600,US,BACKEND,ROOT,QNN accelerator (execute) time
3,EXECUTE,29239,CYCLES,BACKEND,ROOT,Accelerator (execute) time (cycles)
3,NODE,6139,CYCLES,BACKEND,SUB-EVENT,fc_token_1:OpId_17 (cycles)
4,EXECUTE IPS,214,INF/SEC,NETRUN,ROOT,
"""


def test_a_profile_gives_latency_without_the_warm_up_and_cycles_of_each_node(tmp_path):
    (tmp_path / "profile.csv").write_text(PROFILE)
    found = read_net_run_profile(tmp_path / "profile.csv")
    assert found.inferences == (9000, 2952)
    assert found.accelerator == (8000, 2600)
    assert found.nodes == {"fc": 6138, "bias, add": 0}
    latency = found.latency(1)
    assert (latency["repetitions"], latency["p50_ms"], latency["npu_p50_ms"]) == (1, 2.952, 2.6)
    assert found.latency(2) is None
    (tmp_path / "text").write_text("no table")
    with pytest.raises(QairtError, match="is not what qnn-profile-viewer writes"):
        read_net_run_profile(tmp_path / "text")
