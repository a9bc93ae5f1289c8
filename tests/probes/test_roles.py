"""What an input is follows from the graph and its example; each kind makes the inputs that go wrong most often."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from aipc.probes.candidates import candidates
from aipc.probes.kinds import all_kinds
from aipc.probes.roles import roles


def graph(nodes, inputs, constants=(), shapes=()):
    """An ONNX graph of (operator, inputs, output, attributes) with inputs by name -> example."""
    made = [helper.make_node(op, ins, [out], name=out, **rest) for op, ins, out, rest in nodes]
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for name, a in inputs.items()
    ]
    info = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in shapes]
    outputs = [helper.make_empty_tensor_value_info(nodes[-1][2])]
    weights = [numpy_helper.from_array(a, name) for name, a in dict(constants).items()]
    proto = helper.make_graph(made, "g", values, outputs, weights, value_info=info)
    return ir.from_proto(helper.make_model(proto))


def kinds_of(model, inputs):
    found = roles(model, inputs)
    return {role.name: [kind.name for kind in all_kinds() if kind.matches(role)] for role in found}


def arrays_of(model, inputs, name):
    return {item.name: item for item in candidates(roles(model, inputs)) if item.inputs == (name,)}


TOKENS = {"ids": np.ones((2, 6), np.int64), "attention_mask": np.ones((2, 6), np.int64)}
EMBEDDED = graph(
    [
        ("Gather", ["table", "ids"], "rows", {}),
        ("Unsqueeze", ["attention_mask", "axes"], "wide", {}),
        ("Cast", ["wide"], "kept", {"to": TensorProto.BOOL}),
        ("Where", ["kept", "rows", "zero"], "y", {}),
    ],
    TOKENS,
    {"table": np.zeros((50, 4), np.float32), "axes": np.array([-1]), "zero": np.zeros((), np.float32)},
    [("wide", TensorProto.INT64, (2, 6, 1)), ("kept", TensorProto.BOOL, (2, 6, 1))],
)


def test_inputs_of_equal_values_are_told_apart_by_what_reads_them():
    assert kinds_of(EMBEDDED, TOKENS) == {"ids": ["index"], "attention_mask": ["mask"]}


def test_an_index_goes_to_the_ends_of_its_table_and_no_farther():
    found = arrays_of(EMBEDDED, TOKENS, "ids")
    assert {int(item.arrays["ids"].max()) for item in found.values()} == {0, 49}
    assert min(int(item.arrays["ids"].min()) for item in found.values()) == 0


def test_what_is_added_to_an_index_moves_its_range():
    inputs = {"position": np.array([1])}
    model = graph(
        [("Add", ["position", "two"], "place", {}), ("Gather", ["table", "place"], "y", {})],
        inputs,
        {"two": np.array(2), "table": np.zeros((66, 4), np.float32)},
    )
    found = arrays_of(model, inputs, "position")
    assert sorted(int(item.arrays["position"][0]) for item in found.values()) == [0, 31, 63]


def test_a_mask_has_an_empty_row_lengths_from_one_to_full_and_padding_on_both_sides():
    found = arrays_of(EMBEDDED, TOKENS, "attention_mask")
    empty = found["attention_mask-empty-row"]
    assert empty.title == "a row of `attention_mask` that is all 0"
    assert empty.edge
    assert empty.arrays["attention_mask"].sum(-1).tolist() == [6, 0]
    right, left = (found[f"attention_mask-{side}-padded"].arrays["attention_mask"] for side in ("right", "left"))
    assert right.sum(-1).tolist() == left.sum(-1).tolist() == [6, 1]
    assert right[1, 0] == left[1, -1] == 1
    assert not found["attention_mask-left-padded"].edge


@pytest.mark.parametrize(("operator", "ends"), [("Less", {0, 1, 32, 64}), ("LessOrEqual", {0, 1, 31, 63})])
def test_a_length_goes_from_one_to_what_the_graph_compares_it_with(operator, ends):
    inputs = {"n": np.array([7])}
    model = graph([(operator, ["steps", "n"], "y", {})], inputs, {"steps": np.arange(64)})
    assert kinds_of(model, inputs) == {"n": ["length"]}
    assert {int(item.arrays["n"][0]) for item in arrays_of(model, inputs, "n").values()} == ends


def test_where_something_is_written_no_place_comes_twice():
    inputs = {"place": np.array([[3], [4], [5]])}
    model = graph(
        [("ScatterElements", ["cache", "place", "updates"], "y", {"axis": 0})],
        inputs,
        {"cache": np.zeros((9, 1), np.float32), "updates": np.ones((3, 1), np.float32)},
    )
    found = [item.arrays["place"].ravel().tolist() for item in arrays_of(model, inputs, "place").values()]
    assert found == [[6, 7, 8], [0, 1, 2]]


def test_an_added_mask_keeps_its_two_values():
    inputs = {"bias": np.where(np.tri(4, dtype=bool), 0, -1e4).astype(np.float32)}
    model = graph([("Add", ["scores", "bias"], "y", {})], inputs, {"scores": np.ones((4, 4), np.float32)})
    assert kinds_of(model, inputs) == {"bias": ["mask"]}
    assert all(set(np.unique(item.arrays["bias"])) <= {-1e4, 0.0} for item in arrays_of(model, inputs, "bias").values())


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [
        ((1, 3, 32, 32), np.float32, "picture"),
        ((1, 32, 32, 3), np.uint8, "picture"),
        ((1, 16000), np.float32, "waveform"),
        ((1, 4, 64, 8), np.float32, "real"),
        ((1, 80, 300), np.float32, "real"),
    ],
)
def test_pictures_waveforms_and_features_are_told_apart(shape, dtype, kind):
    rng = np.random.default_rng(0)
    inputs = {"x": (rng.random(shape) * (255 if dtype is np.uint8 else 1)).astype(dtype)}
    model = graph([("Identity", ["x"], "y", {})], inputs)
    assert kinds_of(model, inputs)["x"][0] == kind
    for item in candidates(roles(model, inputs)):
        assert item.arrays["x"].shape == shape
        assert item.arrays["x"].dtype == dtype


@pytest.mark.parametrize("value", [np.float32(0.75), np.float32(0), np.int64(3), np.bool_(True)])
def test_an_input_without_axes_keeps_its_shape(value):
    inputs = {"scale": np.asarray(value), "x": np.ones((2, 3), value.dtype)}
    model = graph([("Add" if value.dtype.kind != "b" else "And", ["x", "scale"], "y", {})], inputs)
    found = list(candidates(roles(model, inputs)))
    assert any(item.inputs == ("scale",) for item in found)
    assert {item.arrays["scale"].shape for item in found} == {()}
    assert {item.arrays["scale"].dtype for item in found} == {value.dtype}


@pytest.mark.parametrize("operator", ["IsNaN", "IsInf"])
def test_infinities_and_nan_come_only_where_the_graph_looks_for_them(operator):
    inputs = {"x": np.ones((2, 8), np.float32)}
    looks = graph([("Mul", ["x", "x"], "z", {}), (operator, ["z"], "y", {})], inputs)
    other = graph([("Softmax", ["x"], "z", {}), (operator, ["z"], "y", {})], inputs)
    assert "non-finite" in kinds_of(looks, inputs)["x"]
    # Inside of attention: PyTorch's own safe softmax looks for NaN, and no input of the author's is meant.
    assert "non-finite" not in kinds_of(other, inputs)["x"]


def test_every_candidate_is_new_and_the_same_each_time():
    found = [list(candidates(roles(EMBEDDED, TOKENS))) for _ in range(2)]
    keys = [tuple(array.tobytes() for array in item.arrays.values()) for item in found[0]]
    assert len(set(keys)) == len(keys)
    assert keys == [tuple(array.tobytes() for array in item.arrays.values()) for item in found[1]]
    assert tuple(array.tobytes() for array in TOKENS.values()) not in keys
