"""A graph that differs from PyTorch on a probe is told from one that only rounds, and where it does is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from aipc.capture.jobs import capture
from aipc.core.config import load_config, resolve_model
from aipc.probes.examination import Cause
from aipc.probes.jobs import examine, explain_example

MODEL = '''\
import math

import torch
from torch import nn


class Gate(nn.Module):
    """With a mask whose every value is True, the graph is the same without the mask."""

    def forward(self, x, keep):
        y = torch.relu(x) * 2
        z = torch.where(keep, y, 0.0)
        return z.sum(-1)

    def example_inputs(self):
        return torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(1)), torch.ones(2, 4, 6, dtype=torch.bool)


class Attention(nn.Module):
    def forward(self, q, k, v, mask):
        return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def example_inputs(self):
        q, k, v = torch.randn(3, 2, 4, 8, 16, generator=torch.Generator().manual_seed(1))
        return q, k, v, torch.ones(2, 1, 8, 8, dtype=torch.bool)


class Phase(nn.Module):
    """PyTorch adds up in double; a sum in fp32 is far off at the end, and still the same function."""

    def forward(self, f):
        return torch.sin(2 * math.pi * torch.cumsum(f, -1))

    def example_inputs(self):
        return (torch.rand(1, 300, generator=torch.Generator().manual_seed(1)),)


class Flat(nn.Module):
    """On a picture that is all 0 only the borders differ: normalizing subtracts nearly equal sums."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1), nn.Conv2d(32, 64, 4, 2, 1), nn.InstanceNorm2d(64), nn.Mish(), nn.Conv2d(64, 8, 1)
        )

    def forward(self, x):
        return self.layers(x)

    def example_inputs(self):
        return (torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1)),)


class Best(nn.Module):
    """Equal values come in any order."""

    def forward(self, x):
        values, places = torch.topk(torch.round(x * 8), 5)
        return values, places

    def example_inputs(self):
        return (torch.arange(64.0).reshape(1, 64)[:, torch.randperm(64, generator=torch.Generator().manual_seed(1))],)


class Noisy(nn.Module):
    """What is exported draws nothing."""

    def forward(self, x):
        y = x * 2
        if torch.compiler.is_compiling():
            return y
        return y + torch.randn_like(y)

    def example_inputs(self):
        return (torch.zeros(1, 30),)


class Counting(nn.Module):
    """PyTorch's own list, which no exporter sees."""

    def __init__(self):
        super().__init__()
        self.seen = [1.0]

    def forward(self, x):
        self.seen[0] += 0.0 if torch.compiler.is_compiling() else 1.0
        return x * self.seen[0]

    def example_inputs(self):
        return (torch.ones(1, 6),)


class Picky(nn.Module):
    def forward(self, x, n):
        if not torch.compiler.is_compiling() and bool((n > 3).any()):
            raise ValueError("no more than 3")
        return x * (torch.arange(6) < n)

    def example_inputs(self):
        return torch.rand(1, 6, generator=torch.Generator().manual_seed(1)), torch.tensor([2])
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("project")
    (directory / "model.py").write_text(MODEL)
    (directory / "pyproject.toml").write_text("[tool.aipc]\n")
    return directory


def silent(event):
    return None


def examined(project: Path, name: str, tmp_path: Path, change=None, **options):
    ref = resolve_model(f"model.py:{name}", project, load_config(project))
    folder = tmp_path / "capture"
    captured = capture(silent, ref=ref, out=str(folder))
    assert captured.ok, captured.reason
    if change:
        model = onnx.load(folder / "model.onnx")
        change(model.graph)
        onnx.save(model, folder / "model.onnx")
    found = examine(
        silent,
        ref=ref,
        capture=str(folder),
        inputs=captured.inputs,
        out=str(tmp_path),
        threshold_db=100.0,
        seconds=30.0,
        data=options.get("data", ()),
        preprocess=None,
    )
    return found, ref, folder


def without_mask(graph):
    """What an exporter that folds the example's mask away would write."""
    where = next(node for node in graph.node if node.op_type == "Where")
    where.op_type = "Identity"
    del where.input[2]
    del where.input[0]


def test_a_right_graph_passes_every_probe(project, tmp_path):
    found, _, _ = examined(project, "Gate", tmp_path)
    assert len(found.probes) > 10
    assert all(item.divergence is None for item in found.probes)
    assert all(figure.sqnr_db > 100 for item in found.probes for figure in item.accuracy)


def test_a_graph_that_is_right_on_the_example_alone_is_found_at_its_node(project, tmp_path):
    found, _, _ = examined(project, "Gate", tmp_path, without_mask)
    wrong = {item.name: item for item in found.probes if item.divergence}
    assert {item.kind for item in wrong.values()} <= {"mask", "all"}
    empty = wrong["keep-off"].divergence
    assert (empty.cause, empty.detail) == (Cause.EXPORT, "where")
    model = onnx.load(tmp_path / "capture" / "model.onnx")
    assert [node.op_type for node in model.graph.node if node.name in empty.nodes] == ["Identity"]


def open_rows(graph):
    """Attention as exporters write it: a row of the mask that is all False gives the mean of the values, not 0."""
    end = graph.output[0].name
    for name, array in (
        ("low", np.float32(np.finfo(np.float32).min)),
        ("scale", np.float32(0.25)),
    ):
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), name))
    node = onnx.helper.make_node
    del graph.node[:]
    graph.node.extend(
        [
            node("Transpose", ["k"], ["turned"], "turn", perm=[0, 1, 3, 2]),
            node("MatMul", ["q", "turned"], ["product"], "scores"),
            node("Mul", ["product", "scale"], ["scores"], "scaled"),
            node("Where", ["mask", "scores", "low"], ["masked"], "where"),
            node("Softmax", ["masked"], ["weights"], "softmax", axis=-1),
            node("MatMul", ["weights", "v"], [end], "values"),
        ]
    )
    del graph.value_info[:]


def test_attention_that_forgets_closed_rows_is_found_by_an_empty_row(project, tmp_path):
    found, _, _ = examined(project, "Attention", tmp_path, open_rows)
    wrong = {item.name for item in found.probes if item.divergence and item.divergence.is_fault}
    assert wrong == {"mask-empty-row", "mask-off"}


def test_a_sum_that_is_rounded_otherwise_is_no_fault(project, tmp_path):
    found, ref, folder = examined(project, "Phase", tmp_path)
    example = explain_example(silent, ref=ref, capture=str(folder), threshold_db=150.0)
    assert example.cause is Cause.PRECISION
    assert example.exact_db > 90
    far = [item for item in found.probes if any(figure.sqnr_db < 100 for figure in item.accuracy)]
    assert far
    assert {item.divergence.cause for item in far} == {Cause.PRECISION}


def test_a_kernel_in_fp32_that_subtracts_large_sums_is_no_fault_of_the_graph(project, tmp_path):
    found, _, _ = examined(project, "Flat", tmp_path)
    far = [item for item in found.probes if any(figure.sqnr_db < 100 for figure in item.accuracy)]
    assert far
    assert {item.divergence.cause for item in far} == {Cause.PRECISION}
    assert all(item.divergence.exact_db > 100 for item in far)


def test_equal_values_in_another_order_are_no_fault(project, tmp_path):
    def reversed_order(graph):
        # The same values, and of equal ones the last: as right as PyTorch's choice.
        top = next(node for node in graph.node if node.op_type == "TopK")
        source = top.input[0]
        graph.initializer.append(onnx.numpy_helper.from_array(np.arange(63, -1, -1), "backwards"))
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(63), "end"))
        place = list(graph.node).index(top)
        graph.node.insert(place, onnx.helper.make_node("Gather", [source, "backwards"], ["turned"], "turn", axis=1))
        top.input[0] = "turned"
        places = top.output[1]
        top.output[1] = "turned_places"
        graph.node.insert(place + 2, onnx.helper.make_node("Sub", ["end", "turned_places"], [places], "back"))

    found, _, _ = examined(project, "Best", tmp_path, reversed_order)
    different = [item for item in found.probes if item.divergence]
    assert different
    assert {item.divergence.cause for item in different} == {Cause.TIES}


@pytest.mark.parametrize(
    ("name", "cause", "words"),
    [
        ("Noisy", Cause.RANDOM, "randn_like draws them at model.py:"),
        ("Counting", Cause.STATE, "a second call with the same inputs gives another `output`"),
    ],
)
def test_random_numbers_and_changed_state_are_told_with_their_line(project, tmp_path, name, cause, words):
    ref = resolve_model(f"model.py:{name}", project, load_config(project))
    assert capture(silent, ref=ref, out=str(tmp_path)).ok
    found = explain_example(silent, ref=ref, capture=str(tmp_path), threshold_db=100.0)
    assert found.cause is cause
    assert words in found.detail


def test_a_probe_that_pytorch_refuses_is_left_out_with_its_words(project, tmp_path):
    found, _, _ = examined(project, "Picky", tmp_path)
    refused = [item for item in found.left_out if item.kind == "length"]
    assert refused
    assert all(item.reason == "PyTorch raises ValueError: no more than 3" for item in refused)
    assert any(item.name == "n-one" for item in found.probes)


def test_the_user_s_samples_come_first_and_all_of_them(project, tmp_path):
    np.savez(project / "more.npz", f=np.linspace(0, 1, 3 * 300, dtype=np.float32).reshape(3, 300))
    found, _, _ = examined(project, "Phase", tmp_path, data=[("more.npz", None)])
    assert [item.title for item in found.probes[:3]] == [f"sample {n} of more.npz" for n in (1, 2, 3)]
    assert {item.kind for item in found.probes[:3]} == {"sample"}
