"""What differs between two captures of a model is found, and only that."""

from __future__ import annotations

import onnx_ir as ir
import pytest

from aipc.core.errors import QairtError
from aipc.graph.difference import changes
from aipc.graph.extract import infer_shapes
from aipc.rewrites.rule import Example
from rewrites.harness import capture

X = {"x": "float32[1,4,6,8]"}


def all_changes(before: str, after: str, inputs=X):
    captured = (ir.serde.serialize_model(capture(Example(text, inputs)).model) for text in (before, after))
    first, second = (infer_shapes(model) for model in captured)
    return changes(first, second)


def change(before: str, after: str, inputs=X):
    return next(all_changes(before, after, inputs), None)


def ops(model):
    return sorted(node.op_type for node in model.graph.node)


def test_equal_graphs_have_no_change():
    assert change("torch.relu(x) + 1", "torch.relu(x) + 1") is None


def test_what_is_before_and_after_the_edit_is_left_out():
    found = change("torch.sigmoid(torch.abs(torch.exp(x)) * 3)", "torch.sigmoid(F.relu(torch.exp(x)) * 3)")
    assert (ops(found.before), ops(found.after)) == (["Abs"], ["Relu"])
    assert [value.name for value in found.before.graph.output] == [value.name for value in found.after.graph.output]
    assert [value.name for value in found.before.graph.input] == [value.name for value in found.after.graph.input]
    assert ops(found.context[0]) == ["Abs", "Mul"]
    assert ops(found.context[1]) == ["Mul", "Relu"]


def test_a_value_that_is_used_twice_is_on_the_border():
    text = "(lambda y: torch.sigmoid(y) + torch.tanh(y))({})"
    found = change(text.format("torch.abs(x)"), text.format("F.relu(x) * 2"))
    assert (ops(found.before), ops(found.after)) == (["Abs"], ["Mul", "Relu"])
    assert len(found.before.graph.output) == 1


def test_a_constant_that_changes_is_a_change():
    found = change("torch.relu(torch.exp(x) * 2)", "torch.relu(torch.exp(x) * 3)")
    assert (ops(found.before), ops(found.after)) == (["Mul"], ["Mul"])


def test_a_node_that_is_gone_leaves_another_name_for_its_input():
    found = change("torch.tanh(torch.relu(torch.exp(x)))", "torch.tanh(torch.exp(x))")
    assert (ops(found.before), ops(found.after)) == (["Relu"], ["Identity"])


def test_an_edit_in_two_places_is_found_in_both():
    text = "torch.tanh({0}(x)) + torch.sigmoid({0}(x.flip(-1)))"
    found = change(text.format("torch.abs"), text.format("torch.relu"))
    assert (ops(found.before), ops(found.after)) == (["Abs", "Abs"], ["Relu", "Relu"])


def test_another_number_of_outputs_is_refused():
    with pytest.raises(QairtError, match="other inputs or outputs"):
        change("(x, x + 1)", "(x + 1)")


def test_wider_parts_take_what_reads_the_results_up_to_the_outputs():
    text = "torch.relu(torch.sigmoid(torch.tanh(torch.exp({})))).abs()"
    parts = list(all_changes(text.format("x * 2"), text.format("x * 3")))
    assert [ops(part.before) for part in parts] == [
        ["Mul"],
        ["Exp", "Mul"],
        ["Exp", "Mul", "Tanh"],
        ["Exp", "Mul", "Relu", "Sigmoid", "Tanh"],
        ["Abs", "Exp", "Mul", "Relu", "Sigmoid", "Tanh"],
    ]
    for part in parts:
        assert [value.name for value in part.before.graph.output] == [value.name for value in part.after.graph.output]


def test_a_node_that_is_put_before_another_is_cut_out_with_its_reader():
    found = change("torch.tanh(torch.exp(x))", "torch.tanh(torch.exp(x * 2))")
    assert (ops(found.before), ops(found.after)) == (["Exp"], ["Exp", "Mul"])
    assert [value.name for value in found.before.graph.output] == [value.name for value in found.after.graph.output]
