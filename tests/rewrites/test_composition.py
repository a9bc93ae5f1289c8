"""Rules close under composition: what they make of tensors with many axes has no more axes than the NPU takes."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from aipc.core.types import Placement, SourceMap
from aipc.qairt.placement import place
from aipc.qairt.soc import get_soc
from aipc.rewrites.apply import apply_rules
from aipc.rewrites.proofs import Trigger

MOST_AXES = 5
"""QAIRT 2.51 takes five and not six (``test_qairt_takes_what_the_rules_leave`` asks it)."""
_ROUNDS = 4
"""As many as the rewriting job asks for placement again."""


@dataclass
class Graph:
    """A graph under construction: its last tensor has ``shape``."""

    shape: tuple[int, ...]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    last: str = "x"

    def add(self, op_type: str, *operands: Any, **attributes: Any) -> str:
        """Append a node that reads the last tensor, then ``operands``: arrays, or names of tensors."""
        names = [self.last]
        for operand in operands:
            if isinstance(operand, str):
                names.append(operand)
                continue
            names.append(f"c{len(self.constants)}")
            self.constants.append(numpy_helper.from_array(operand, names[-1]))
        self.last = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, names, [self.last], name=f"n{len(self.nodes)}", **attributes))
        return self.last

    def reshape(self, shape: tuple[int, ...]) -> None:
        self.add("Reshape", np.asarray(shape, np.int64))
        self.shape = shape

    def model(self, given: tuple[int, ...]) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, given)]
        outputs = [helper.make_tensor_value_info(self.last, onnx.TensorProto.FLOAT, self.shape)]
        graph = helper.make_graph(self.nodes, "g", inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


Step = Callable[[Graph, st.DataObject], None]


def transpose(graph: Graph, data: st.DataObject) -> None:
    perm = data.draw(st.permutations(range(len(graph.shape))), "perm")
    graph.add("Transpose", perm=list(perm))
    graph.shape = tuple(graph.shape[axis] for axis in perm)


def elementwise(graph: Graph, data: st.DataObject) -> None:
    operand = tuple(size if data.draw(st.booleans(), "kept") else 1 for size in graph.shape)
    leading = data.draw(st.integers(0, len(operand) - 1), "leading axes left out")
    values = np.linspace(0.5, 1.5, math.prod(operand[leading:]), dtype=np.float32).reshape(operand[leading:])
    graph.add(data.draw(st.sampled_from(["Add", "Mul", "Sub", "Div", "Max"]), "operator"), values)


def outer(graph: Graph, data: st.DataObject) -> None:
    """Two tensors that broadcast along different axes: sums of the last one along some and along the others."""
    source, shape = graph.last, graph.shape
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1, max_size=len(shape) - 1), "axes")
    first = graph.add("ReduceMean", np.asarray(sorted(axes), np.int64), keepdims=1)
    graph.last = source
    graph.add("ReduceMean", np.asarray(sorted(set(range(len(shape))) - axes), np.int64), keepdims=1)
    graph.add("Add", first)


def unary(graph: Graph, data: st.DataObject) -> None:
    graph.add(data.draw(st.sampled_from(["Tanh", "Sigmoid", "Abs", "Neg", "Erf"]), "operator"))


def reduce(graph: Graph, data: st.DataObject) -> None:
    axes = data.draw(st.sets(st.integers(0, len(graph.shape) - 1), min_size=1, max_size=len(graph.shape)), "axes")
    kept = data.draw(st.booleans(), "keepdims")
    operator = data.draw(st.sampled_from(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2"]), "operator")
    graph.add(operator, np.asarray(sorted(axes), np.int64), keepdims=int(kept))
    sizes = [1 if axis in axes else size for axis, size in enumerate(graph.shape)]
    graph.shape = tuple(size for axis, size in enumerate(sizes) if kept or axis not in axes)


def strided_slice(graph: Graph, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(graph.shape) - 1), "axis")
    size, step = graph.shape[axis], data.draw(st.sampled_from([1, 2, -1]), "step")
    start = data.draw(st.integers(0, size - 1), "start")
    start, stop = (start, size) if step > 0 else (size - 1, -size - 1)
    bounds = [np.asarray([value], np.int64) for value in (start, stop, axis, step)]
    graph.add("Slice", *bounds)
    sizes = list(graph.shape)
    sizes[axis] = len(range(*slice(start, None if stop < 0 else stop, step).indices(size)))
    graph.shape = tuple(sizes)


def split(graph: Graph, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(graph.shape) - 1), "axis")
    size = graph.shape[axis]
    if size % 2:
        return
    names = [f"s{len(graph.nodes)}", f"t{len(graph.nodes)}"]
    graph.nodes.append(
        helper.make_node("Split", [graph.last], names, name=f"n{len(graph.nodes)}", axis=axis, num_outputs=2)
    )
    graph.last = names[1]
    graph.shape = (*graph.shape[:axis], size // 2, *graph.shape[axis + 1 :])
    graph.add("Sub", names[0])


def gather(graph: Graph, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(graph.shape) - 1), "axis")
    one = data.draw(st.booleans(), "a single index")
    graph.add("Gather", np.asarray(0 if one else [graph.shape[axis] - 1, 0], np.int64), axis=axis)
    graph.shape = (*graph.shape[:axis], *(() if one else (2,)), *graph.shape[axis + 1 :])


def concat(graph: Graph, data: st.DataObject) -> None:
    """A roll, as it is exported: the end before the beginning."""
    axis = data.draw(st.integers(0, len(graph.shape) - 1), "axis")
    graph.add("Concat", graph.last, axis=axis)
    graph.shape = (*graph.shape[:axis], 2 * graph.shape[axis], *graph.shape[axis + 1 :])


def expand(graph: Graph, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(graph.shape)), "axis")
    graph.add("Unsqueeze", np.asarray([axis], np.int64))
    graph.shape = (*graph.shape[:axis], 2, *graph.shape[axis:])
    graph.add("Expand", np.asarray(graph.shape, np.int64))


def tile(graph: Graph, data: st.DataObject) -> None:
    counts = data.draw(
        st.lists(st.sampled_from([1, 1, 2]), min_size=len(graph.shape), max_size=len(graph.shape)), "counts"
    )
    graph.add("Tile", np.asarray(counts, np.int64))
    graph.shape = tuple(size * count for size, count in zip(graph.shape, counts, strict=True))


def pad(graph: Graph, data: st.DataObject) -> None:
    rank = len(graph.shape)
    ends = data.draw(st.lists(st.integers(0, 1), min_size=2 * rank, max_size=2 * rank), "pads")
    graph.add("Pad", np.asarray(ends, np.int64), np.asarray(0, np.float32))
    graph.shape = tuple(size + ends[axis] + ends[axis + rank] for axis, size in enumerate(graph.shape))


def softmax(graph: Graph, data: st.DataObject) -> None:
    graph.add("Softmax", axis=data.draw(st.integers(0, len(graph.shape) - 1), "axis"))


def matmul(graph: Graph, data: st.DataObject) -> None:
    size = graph.shape[-1]
    batch = graph.shape[:-2] if data.draw(st.booleans(), "of each") else ()
    weight = np.linspace(-1, 1, math.prod(batch) * size * 3, dtype=np.float32).reshape(*batch, size, 3)
    graph.add("MatMul", weight)
    graph.shape = (*graph.shape[:-1], 3)


def layer_norm(graph: Graph, data: st.DataObject) -> None:
    scale = np.linspace(0.5, 1.5, graph.shape[-1], dtype=np.float32)
    graph.add("LayerNormalization", scale, np.zeros_like(scale), axis=-1)


def cumulative_sum(graph: Graph, data: st.DataObject) -> None:
    graph.add("CumSum", np.asarray(data.draw(st.integers(0, len(graph.shape) - 1), "axis"), np.int64))


def choice(graph: Graph, data: st.DataObject) -> None:
    """The larger of a tensor and a row of it, by a comparison."""
    source = graph.last
    kept = tuple(size if data.draw(st.booleans(), "kept") else 1 for size in graph.shape)
    other = np.linspace(-1, 1, math.prod(kept), dtype=np.float32).reshape(kept)
    above = graph.add("Greater", other)
    graph.constants.append(numpy_helper.from_array(other, f"{above}.other"))
    graph.nodes.append(
        helper.make_node("Where", [above, source, f"{above}.other"], [f"{above}.chosen"], name=f"n{len(graph.nodes)}")
    )
    graph.last = f"{above}.chosen"


def top(graph: Graph, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(graph.shape) - 1), "axis")
    count = np.asarray([1], np.int64)
    graph.constants.append(numpy_helper.from_array(count, f"k{len(graph.nodes)}"))
    names = [f"t{len(graph.nodes)}", f"i{len(graph.nodes)}"]
    node = helper.make_node("TopK", [graph.last, f"k{len(graph.nodes)}"], names, name=f"n{len(graph.nodes)}", axis=axis)
    graph.nodes.append(node)
    graph.last = names[0]
    graph.shape = (*graph.shape[:axis], 1, *graph.shape[axis + 1 :])


def squeeze(graph: Graph, data: st.DataObject) -> None:
    axes = [axis for axis, size in enumerate(graph.shape) if size == 1]
    if axes and len(axes) < len(graph.shape):
        graph.add("Squeeze", np.asarray(axes, np.int64))
        graph.shape = tuple(size for size in graph.shape if size != 1)


STEPS: tuple[Step, ...] = (
    transpose,
    elementwise,
    outer,
    unary,
    reduce,
    strided_slice,
    split,
    gather,
    concat,
    expand,
    tile,
    pad,
    softmax,
    matmul,
    layer_norm,
    cumulative_sum,
    choice,
    top,
    squeeze,
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, ...]:
    """The shape of a volume, cut into windows: six to eight axes of one to three places."""
    return tuple(draw(st.lists(st.sampled_from([1, 2, 2, 3]), min_size=6, max_size=8)))


def build(data: st.DataObject, steps: tuple[Step, ...]) -> tuple[onnx.ModelProto, np.ndarray[Any, Any]]:
    """A graph that leaves its windows again, and an input for it. Both ends have two axes."""
    shape = data.draw(windows(), "windows")
    given = (math.prod(shape[:3]), math.prod(shape[3:]))
    graph = Graph(given)
    graph.reshape(shape)
    for step in steps:
        if len(graph.shape) > 1 and math.prod(graph.shape) < 20_000:
            step(graph, data)
    graph.reshape((1, math.prod(graph.shape)))
    return graph.model(given), np.random.default_rng(0).standard_normal(given).astype(np.float32)


def too_many_axes(model: ir.Model) -> list[str]:
    """Names of the nodes with a tensor of more axes than the NPU takes, unless all that they read is constant."""
    return [
        node.name or ""
        for node in model.graph
        if any(len(value.shape or ()) > MOST_AXES for value in (*node.inputs, *node.outputs) if value is not None)
    ]


def rewritten(model: onnx.ModelProto) -> ir.Model:
    """The graph after the rules, with the nodes of too many axes refused, as often as deploy asks again."""
    graph = ir.from_proto(onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True))
    for _ in range(_ROUNDS):
        refused = too_many_axes(graph)
        if not refused:
            break
        apply_rules(graph, SourceMap({}), refused=refused, triggers=(Trigger.WRONG,))
    return graph


def run(model: onnx.ModelProto, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SETTINGS
@given(data=st.data(), steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=4))
def test_rules_leave_no_tensor_with_more_axes_than_the_npu_takes(data: st.DataObject, steps: list[Step]) -> None:
    model, x = build(data, tuple(steps))
    expected = run(model, x)
    graph = rewritten(model)
    left = too_many_axes(graph)
    assert not left, [
        (node.op_type, [list(v.shape or ()) for v in node.inputs if v]) for node in graph.graph if node.name in left
    ]
    np.testing.assert_allclose(run(ir.to_proto(graph), x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("step", STEPS, ids=[step.__name__ for step in STEPS])
@settings(parent=SETTINGS, max_examples=12)
@given(data=st.data())
def test_each_operator_on_windows(step: Step, data: st.DataObject) -> None:
    model, x = build(data, (step,))
    graph = rewritten(model)
    assert not too_many_axes(graph)
    np.testing.assert_allclose(run(ir.to_proto(graph), x), run(model, x), rtol=1e-4, atol=1e-5)


@settings(parent=SETTINGS, max_examples=12)
@given(data=st.data(), steps=st.lists(st.sampled_from(STEPS), min_size=2, max_size=3))
def test_qairt_takes_what_the_rules_leave(data: st.DataObject, steps: list[Step]) -> None:
    model, _ = build(data, tuple(steps))
    graph = rewritten(model)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        onnx.save(ir.to_proto(graph), str(path))
        report = place(path, get_soc("sm8650"))
    off = [(node.op_type, node.reason) for node in report.nodes if node.placement is not Placement.NPU]
    assert not off, off
