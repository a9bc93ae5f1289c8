"""Capture writes a graph that agrees with PyTorch, whatever form inputs and outputs have."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from aipc.capture.jobs import capture, verify_capture
from aipc.core.config import load_config, resolve_model
from aipc.core.errors import InputError, ModelLoadError


def quiet(event: object) -> None:
    return None


def captured(ref, out):
    return capture(quiet, ref=ref, out=str(out))


FORMS = {
    "a dict": ('return {"a": x + 1, "b": x * y}', ["a", "b"]),
    "a tuple": ("return x + y, x - y", ["output_0", "output_1"]),
    "a nested list": ('return [x + y, {"c": x * 2}]', ["output_0", "output_1_c"]),
    "one tensor": ("return x @ y.T", ["output"]),
    "none among them": ("return x + y, None, x.sum()", ["output_0", "output_2"]),
    "a key with a line end": ('return {"a\\nb": x + y}', ["a_b"]),
    "an unused input": ("return x + 1", ["output"]),
    "integers": ("return x.argmax(-1) + 1", ["output"]),
}


@pytest.mark.parametrize("name", FORMS)
def test_outputs_keep_their_names_and_values(model_file, tmp_path, name):
    body, names = FORMS[name]
    source = f"""
    class Model(nn.Module):
        def forward(self, x, y):
            {body}

        @staticmethod
        def example_inputs():
            return {{"y": torch.rand(3, 4), "x": torch.rand(3, 4)}}
    """
    result = captured(model_file(source), tmp_path / "out")
    assert result.ok, result.findings
    assert [output.name for output in result.outputs][: len(names)] == names
    accuracy = verify_capture(quiet, directory=str(tmp_path / "out"))
    assert min(output.sqnr_db for output in accuracy) >= 100


@pytest.mark.parametrize("returned", ["None", "{}", "[]", "3", "'text'"])
def test_a_model_without_a_result_is_refused(model_file, tmp_path, returned):
    source = f"class Model(nn.Module):\n    def forward(self, x):\n        return {returned}\n"
    config = '[tool.aipc.models.m]\nentry = "model.py:Model"\ninputs = "float32[1,3]"\n'
    with pytest.raises(InputError, match="forward of m returned no tensor"):
        captured(model_file(source, config=config), tmp_path / "out")


def test_a_conversion_to_16_bits_in_forward_is_told_with_the_reason(model_file, tmp_path):
    source = """
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3).bfloat16()

        def forward(self, x):
            return self.layer(x.bfloat16())

        @staticmethod
        def example_inputs():
            return (torch.rand(1, 3),)
    """
    with pytest.raises(InputError, match="AIPC reads weights of 16 bits as float32"):
        captured(model_file(source), tmp_path / "out")


def test_a_part_in_torchscript_is_named(model_file, tmp_path):
    source = """
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = torch.jit.script(nn.Linear(3, 3))

        def forward(self, x):
            return self.part(x) + 1

        @staticmethod
        def example_inputs():
            return (torch.rand(1, 3),)
    """
    (finding,) = captured(model_file(source), tmp_path / "out").findings
    assert "self.part is a TorchScript module" in finding.message and finding.range is not None


def test_the_same_model_gives_the_same_bytes(model_file, tmp_path):
    source = "torch.manual_seed(0)\nModel = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GELU())\n"
    ref = model_file(source)
    captured(ref, tmp_path / "a")
    captured(ref, tmp_path / "b")
    for name in ("model.onnx", "inputs.npz", "reference.npz", "source_map.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_the_files_that_the_model_read_are_recorded(model_file, tmp_path):
    (tmp_path / "labels.txt").write_text("cat")
    (tmp_path / "unread.txt").write_text("dog")
    source = f"open({str(tmp_path / 'labels.txt')!r}).read()\nModel = nn.ReLU\n"
    result = captured(model_file(source), tmp_path / "out")
    names = {path.rpartition("/")[2] for path in result.files}
    assert names == {"model.py", "labels.txt"}


def test_an_exported_program_is_captured(tmp_path):
    program = torch.export.export(torch.nn.Linear(3, 2).eval(), (torch.rand(1, 3),))
    torch.export.save(program, tmp_path / "linear.pt2")
    ref = resolve_model("linear.pt2", tmp_path, load_config(tmp_path))
    result = captured(ref, tmp_path / "out")
    assert result.ok
    assert min(item.sqnr_db for item in verify_capture(quiet, directory=str(tmp_path / "out"))) >= 100


def test_an_onnx_file_gets_unique_names_and_fixed_shapes(tmp_path):
    helper = onnx.helper
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 1, ["batch", 3, "side"])],
        [helper.make_tensor_value_info("y", 1, ["batch", 3, "side"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(tmp_path / "net.onnx"))
    (tmp_path / "pyproject.toml").write_text("[tool.aipc]\n")
    with pytest.raises(InputError, match=r"'side' of input 'x'.*dims"):
        captured(resolve_model("net.onnx", tmp_path, load_config(tmp_path)), tmp_path / "none")
    table = '[tool.aipc.models.net]\nentry = "net.onnx"\ndims = { side = 5 }\n'
    (tmp_path / "pyproject.toml").write_text(table)
    result = captured(resolve_model("net", tmp_path, load_config(tmp_path)), tmp_path / "out")
    assert [spec.shape for spec in (*result.inputs, *result.outputs)] == [(1, 3, 5), (1, 3, 5)]
    written = onnx.load(str(tmp_path / "out" / "model.onnx"))
    assert [node.name for node in written.graph.node] == ["Relu_0", "Relu_1"]


def test_a_corrupt_file_is_told(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07garbage")
    with pytest.raises(ModelLoadError, match=r"broken\.onnx is not a valid ONNX file"):
        captured(resolve_model("broken.onnx", tmp_path, load_config(tmp_path)), tmp_path / "out")


def test_a_forward_that_raises_is_told_at_its_line(model_file, tmp_path):
    source = """
    class Model(nn.Module):
        def forward(self, x):
            return x.reshape(7, 7)

        @staticmethod
        def example_inputs():
            return torch.rand(1, 3)
    """
    with pytest.raises(InputError, match=r"model\.py:9: forward raised RuntimeError"):
        captured(model_file(source), tmp_path / "out")


def test_all_operators_without_onnx_form_are_listed_at_once(model_file, tmp_path):
    source = """
    class Model(nn.Module):
        def forward(self, x):
            a = torch.linalg.svdvals(x)
            b = torch.linalg.eigvalsh(x)
            return a + b

        @staticmethod
        def example_inputs():
            return torch.eye(4)[None]
    """
    ref = model_file(source)
    result = captured(ref, tmp_path / "out")
    assert not result.ok
    lines = ref.path.read_text().splitlines()
    texts = {
        lines[item.range.start.line - 1][item.range.start.column : item.range.end.column] for item in result.findings
    }
    assert texts == {"torch.linalg.svdvals(x)", "torch.linalg.eigvalsh(x)"}
    assert {item.rule for item in result.findings} == {"capture-unsupported-operator"}


def test_reference_and_inputs_are_keyed_by_the_graph_s_names(model_file, tmp_path):
    result = captured(model_file("Model = nn.Sequential(nn.Linear(4, 2))\n"), tmp_path / "out")
    with np.load(tmp_path / "out" / "inputs.npz") as inputs, np.load(tmp_path / "out" / "reference.npz") as outputs:
        assert inputs.files == [spec.name for spec in result.inputs]
        assert outputs.files == [spec.name for spec in result.outputs]


def test_an_input_named_file_is_an_input_like_others(model_file, tmp_path):
    source = """
    class Model(nn.Module):
        def forward(self, file):
            return file + 1

        @staticmethod
        def example_inputs():
            return {"file": torch.rand(2)}
    """
    result = captured(model_file(source), tmp_path / "out")
    assert [item.name for item in result.inputs] == ["file"]
    with np.load(tmp_path / "out" / "inputs.npz") as inputs:
        assert list(inputs) == ["file"]
