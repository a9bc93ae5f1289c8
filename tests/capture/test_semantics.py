"""A captured graph answers what PyTorch answers: masks, state, random numbers, names, widths of numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from aipc.capture.arguments import Inputs
from aipc.capture.capture_result import CaptureResult
from aipc.capture.export import export
from aipc.capture.interface import runner
from aipc.capture.jobs import capture
from aipc.capture.model_with_inputs import open_model
from aipc.capture.recorder import ConstructionRecorder
from aipc.core.config import ModelConfig, ModelRef
from aipc.numerics.cpu import run_cpu

ModelFile = Callable[..., ModelRef]


def captured(ref: ModelRef, out: Path) -> CaptureResult:
    return capture(lambda event: None, ref=ref, out=str(out))


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def answers(module: nn.Module, example: tuple, others: list[tuple], tmp_path: Path, strategy: str) -> onnx.ModelProto:
    """Hold the graph that ``example`` is captured with against PyTorch on ``others``."""
    module = module.eval().requires_grad_(False)
    exported = export(module, example, {}, ConstructionRecorder(), strategy=strategy).model
    onnx_file = tmp_path / "model.onnx"
    import onnx_ir as ir

    ir.save(exported, onnx_file)
    for inputs in (example, *others):
        feeds = {value.name: tensor.numpy() for value, tensor in zip(exported.graph.inputs, inputs, strict=True)}
        (actual,) = run_cpu(onnx_file, feeds).values()
        with torch.no_grad():
            np.testing.assert_allclose(actual, module(*inputs).numpy(), rtol=1e-4, atol=1e-5)
    return onnx.load(str(onnx_file))


class Attention(nn.Module):
    """Attention whose mask is what ``mask`` makes of the second input."""

    def __init__(self, mask: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.mask = mask

    def forward(self, x: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x, self.mask(given))


X = normal(2, 2, 6, 8)
OPEN, CLOSED = torch.ones(2, 6, dtype=torch.int64), torch.tensor([[1, 1, 1, 0, 0, 0], [0] * 6])
LOWEST = torch.finfo(torch.float32).min


@pytest.mark.parametrize("strategy", ["one-trace", "two-traces"])
@pytest.mark.parametrize(
    "mask",
    [
        lambda given: given.bool()[:, None, None],
        lambda given: torch.zeros(2, 1, 1, 6).masked_fill(~given.bool()[:, None, None], -math.inf),
        lambda given: torch.where(given.bool()[:, None, None], 0.0, -math.inf).expand(2, 1, 6, 6) + torch.zeros(6, 6),
        lambda given: torch.log(given.float())[:, None, None],
    ],
    ids=["boolean", "filled", "added", "logarithm"],
)
def test_rows_that_a_mask_closes_give_zero(mask, strategy, tmp_path):
    answers(Attention(mask), (X, OPEN), [(X, CLOSED)], tmp_path, strategy)


def test_closed_rows_follow_from_booleans_where_the_mask_does(tmp_path):
    graph = answers(
        Attention(lambda given: torch.zeros(2, 1, 1, 6).masked_fill(~given.bool()[:, None, None], -math.inf)),
        (X, OPEN),
        [],
        tmp_path,
        "one-trace",
    ).graph
    assert "Equal" not in {node.op_type for node in graph.node}


@pytest.mark.parametrize(
    "mask",
    [
        lambda given: torch.ones(6, 6, dtype=torch.bool).tril(),
        lambda given: (1.0 - given[:, None, None].float()) * LOWEST,
    ],
    ids=["constant", "finite"],
)
def test_masks_whose_rows_are_surely_open_cost_nothing(mask, tmp_path):
    graph = answers(Attention(mask), (X, OPEN), [(X, CLOSED)], tmp_path, "one-trace").graph
    assert not {"ReduceMax", "Clip"} & {node.op_type for node in graph.node}
    assert graph.node[-1].op_type == "MatMul"


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, norm=nn.LayerNorm(16))

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        return self.encoder(x, src_key_padding_mask=padding)


def test_an_encoder_has_pytorch_s_values_in_padded_places(tmp_path):
    """Zeros before the norm where all padding is at the ends, and what attention gives otherwise."""
    torch.manual_seed(0)
    x, nothing = normal(2, 6, 16), torch.zeros(2, 6, dtype=torch.bool)
    at_the_end = torch.tensor([[False] * 6, [False] * 3 + [True] * 3])
    whole = torch.tensor([[False] * 6, [True] * 6])
    others = [(x, at_the_end), (x, at_the_end.flip(1)), (x, whole)]
    answers(Encoder(), (x, nothing), others, tmp_path, "one-trace")


STATE = """
class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("h", torch.zeros(1, 4))

    def forward(self, x):
        self.h = torch.tanh(x + self.h)
        return self.h


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("past", torch.zeros(1, 4, 2))
        self.count = torch.zeros(1)
        self.inner = Inner()

    def forward(self, X):
        z = torch.cat([self.past, X], -1)
        self.past.copy_(z[..., -2:])
        self.count = self.count + 1
        return {"Y": z * self.count, "h": self.inner(X[..., 0])}

    @staticmethod
    def example_inputs():
        return torch.linspace(-1, 1, 20).reshape(1, 4, 5)
"""


def test_state_is_refused_at_the_lines_that_change_or_read_it(model_file: ModelFile, tmp_path):
    ref = model_file(STATE)
    result = captured(ref, tmp_path / "out")
    assert not result.ok
    lines = ref.path.read_text().splitlines()
    places = {(item.rule, lines[item.range.start.line - 1].strip()) for item in result.findings if item.range}
    assert places == {
        ("capture-state", "self.past.copy_(z[..., -2:])"),
        ("capture-state", "self.count = self.count + 1"),
        ("capture-state", "self.h = torch.tanh(x + self.h)"),
    }
    assert all('state = "inputs"' in item.message for item in result.findings)


def test_state_as_inputs_streams_as_pytorch_does(model_file: ModelFile, tmp_path):
    ref = model_file(STATE)
    ref = dataclasses.replace(ref, config=ModelConfig(name="model", entry="model.py:Model", state="inputs"))
    result = captured(ref, tmp_path / "out")
    assert [item.name for item in result.inputs] == ["X", "past", "count", "inner_h"]
    assert result.state == {"past": "past_out", "count": "count_out", "inner_h": "inner_h_out"}
    streaming, _ = open_model(dataclasses.replace(ref, config=None))
    with np.load(tmp_path / "out" / "inputs.npz") as data:
        feeds = dict(data)
    for step in range(3):
        feeds["X"] = normal(1, 4, 5, seed=step).numpy()
        outputs = run_cpu(tmp_path / "out" / "model.onnx", feeds)
        wanted = streaming.module(torch.from_numpy(feeds["X"]))
        np.testing.assert_allclose(outputs["Y"], wanted["Y"], rtol=1e-5)
        np.testing.assert_allclose(outputs["h"], wanted["h"], rtol=1e-5, atol=1e-6)
        feeds |= {name: outputs[successor] for name, successor in result.state.items()}


def test_what_forward_only_writes_or_builds_once_is_no_state(model_file: ModelFile, tmp_path):
    source = """
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))
            self.grid = None

        def forward(self, x):
            self.calls += 1
            if self.grid is None:
                self.grid = torch.arange(4.0)
            self.last = x + self.grid
            return self.last

        @staticmethod
        def example_inputs():
            return torch.rand(1, 4)
    """
    result = captured(model_file(source), tmp_path / "out")
    assert result.ok and [item.name for item in result.inputs] == ["x"]


def test_random_numbers_are_refused_at_their_line(model_file: ModelFile, tmp_path):
    source = """
    class Model(nn.Module):
        def forward(self, x):
            unused = torch.rand(3)
            x = F.dropout(x, 0.5, training=self.training)
            return x + torch.randn_like(x)

        @staticmethod
        def example_inputs():
            return torch.rand(1, 4)
    """
    ref = model_file(source)
    (finding,) = captured(ref, tmp_path / "out").findings
    place = finding.range
    text = ref.path.read_text().splitlines()[place.start.line - 1]
    assert (finding.rule, text[place.start.column : place.end.column]) == ("capture-random", "torch.randn_like(x)")


def test_every_output_has_the_author_s_name_and_inputs_their_case(model_file: ModelFile, tmp_path):
    source = """
    class Model(nn.Module):
        def forward(self, B, softmax):
            s = B.softmax(-1)
            hidden = [B, s]
            return {"add": s, "relu": s + softmax["Scale"], "B": B, "again": s, "n": 3, "none": None,
                    "hidden": hidden, "softmax": B.relu()}

        @staticmethod
        def example_inputs():
            return torch.rand(2, 4) - 0.5, {"Scale": torch.rand(1)}
    """
    result = captured(model_file(source), tmp_path / "out")
    assert [item.name for item in result.inputs] == ["B", "softmax_Scale"]
    names = ["add", "relu", "B_out", "again", "hidden_0", "hidden_1", "softmax"]
    assert [item.name for item in result.outputs] == names
    with np.load(tmp_path / "out" / "inputs.npz") as inputs, np.load(tmp_path / "out" / "reference.npz") as reference:
        outputs = run_cpu(tmp_path / "out" / "model.onnx", dict(inputs))
        for name in names:
            np.testing.assert_allclose(outputs[name], reference[name], rtol=1e-6)


def test_an_argument_changed_in_place_is_an_output(model_file: ModelFile, tmp_path):
    source = """
    class Model(nn.Module):
        def forward(self, x, cache, position):
            cache.index_copy_(0, position, x)
            return cache.sum(0)

        @staticmethod
        def example_inputs():
            return torch.rand(1, 4), torch.rand(5, 4), torch.tensor([1])
    """
    ref = model_file(source)
    result = captured(ref, tmp_path / "out")
    assert [item.name for item in result.outputs] == ["output", "cache_out"]
    loaded, example = open_model(ref)
    again = runner(loaded.module, example)
    given = {"x": normal(1, 4).numpy(), "cache": normal(5, 4, seed=1).numpy(), "position": np.array([4])}
    wanted, actual = again(given), run_cpu(tmp_path / "out" / "model.onnx", given)
    np.testing.assert_allclose(actual["cache_out"], wanted["cache_out"])
    np.testing.assert_array_equal(wanted["cache_out"][4:], given["x"])


def test_float64_becomes_float32_and_is_compared_with_float64(model_file: ModelFile, tmp_path):
    source = """
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("anchors", torch.linspace(0.1, 9.7, 4, dtype=torch.float64))

        def forward(self, x):
            return x.double().exp() * self.anchors + torch.finfo(torch.float64).min * (x < -9)

        @staticmethod
        def example_inputs():
            return torch.rand(2, 4)
    """
    ref = model_file(source)
    result = captured(ref, tmp_path / "out")
    assert [item.dtype for item in (*result.inputs, *result.outputs)] == ["float32", "float32"]
    graph = onnx.load(str(tmp_path / "out" / "model.onnx")).graph
    assert onnx.TensorProto.DOUBLE not in {item.data_type for item in graph.initializer}
    lowered = {node.op_type for node in graph.node if node.name in result.lowered}
    assert {"Exp", "Mul"} <= lowered, "what PyTorch computes in float64 is said"
    loaded, example = open_model(ref)
    given = {"x": normal(2, 4).numpy()}
    wanted, actual = runner(loaded.module, example)(given), run_cpu(tmp_path / "out" / "model.onnx", given)
    np.testing.assert_allclose(actual["output"], wanted["output"], rtol=1e-5)


def test_weights_of_16_bits_are_read_as_float32(model_file: ModelFile, tmp_path):
    source = """
    def build():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8)).to(torch.bfloat16)

    def batch():
        return torch.rand(2, 4, dtype=torch.bfloat16)
    """
    ref = model_file(source, "build")
    ref = dataclasses.replace(ref, inputs="model.py:batch")
    result = captured(ref, tmp_path / "out")
    assert [item.dtype for item in (*result.inputs, *result.outputs)] == ["float32", "float32"]
    loaded, example = open_model(ref)
    assert isinstance(example, Inputs) and example.args[0].dtype == torch.float32
    assert next(loaded.module.parameters()).dtype == torch.float32
