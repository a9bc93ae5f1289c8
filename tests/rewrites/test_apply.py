"""Applying rules: what is asked of them, what they leave alone, and what they leave behind."""

from __future__ import annotations

import onnx_ir as ir

from aipc.core.types import Origin, SourceMap
from aipc.rewrites.apply import apply_rules
from aipc.rewrites.proofs import Trigger
from aipc.rewrites.rule import Example
from aipc.rewrites.rules import get_rule

from .harness import Captured, capture

PADDED = Example('F.pad(x, (1, 1), mode="circular") + F.pad(x, (2, 0), mode="circular")', {"x": "float32[1,2,9]"})


def rewritten(captured: Captured, **arguments: object) -> tuple[ir.Model, object]:
    model = ir.serde.deserialize_model(ir.serde.serialize_model(captured.model))
    names = {node.name or "": (Origin((), node.name or ""),) for node in model.graph}
    return model, apply_rules(model, SourceMap(names), **arguments)  # type: ignore[arg-type]


def test_only_what_placement_refused_is_rewritten() -> None:
    captured = capture(PADDED)
    first = next(node.name for node in captured.model.graph if node.op_type == "Pad")
    model, applied = rewritten(captured, refused=[first], triggers=[Trigger.WRONG])
    assert [item.root for item in applied.applications] == [first]
    assert [node.op_type for node in model.graph].count("Pad") == 1


def test_a_barred_rule_is_not_tried_again() -> None:
    captured = capture(PADDED)
    pads = [node.name for node in captured.model.graph if node.op_type == "Pad"]
    _, applied = rewritten(captured, barred=[("pad-circular", name) for name in pads])
    assert not applied.applications


def test_a_refusal_is_told() -> None:
    captured = capture(Example("F.pad(x, (1, 2), value=1.5)", {"x": "float32[1,2,9]"}))
    _, applied = rewritten(captured)
    assert ("pad-circular", "the padding is not of the mode wrap") in {
        (item.rule, item.why) for item in applied.refused
    }


def test_every_node_keeps_the_names_it_comes_from() -> None:
    captured = capture(PADDED)
    model, applied = rewritten(captured)
    known = {node.name for node in captured.model.graph}
    for node in model.graph:
        origins = applied.source_map.origins(node.name)
        assert origins
        assert {origin.module_path for origin in origins} <= known


def test_equal_captures_give_equal_names() -> None:
    first, second = (rewritten(capture(PADDED))[0] for _ in range(2))
    assert [node.name for node in first.graph] == [node.name for node in second.graph]


def test_what_is_folded_before_compiling_is_left_alone() -> None:
    model = ir.from_onnx_text("""<ir_version: 10, opset_import: ["" : 20]>
graph (float[4,4] x) => (float[4,4] y)
<float[5,4] table = {0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19}, int64[4,1] places = {0,4,2,2}> {
    rows = GatherND (table, places)
    y = Add (x, rows)
}""")
    for number, node in enumerate(model.graph):
        node.name = f"node_{number}"
    applied = apply_rules(model, SourceMap({}), rules=[get_rule("gather-nd")], refused=["node_0"])
    assert not applied.applications
    assert [node.op_type for node in model.graph] == ["GatherND", "Add"]


def test_unbuildable_forms_are_cleaned_beside_rewrites_only_unless_asked() -> None:
    captured = capture(Example("torch.relu(x.reshape(6, 8).reshape(3, 16))", {"x": "float32[2,3,8]"}))
    _, beside = rewritten(captured, refused=[], triggers=[Trigger.WRONG])
    assert not beside.applications
    _, everywhere = rewritten(captured, refused=[], triggers=[Trigger.UNBUILDABLE])
    assert [item.rule for item in everywhere.applications] == ["merge-reshapes"]


def test_an_output_of_the_graph_keeps_its_name() -> None:
    captured = capture(Example("x.reshape(6, 8).reshape(2, 3, 8)", {"x": "float32[2,3,8]"}))
    wanted = [value.name for value in captured.model.graph.outputs]
    model, _ = rewritten(captured)
    assert [value.name for value in model.graph.outputs] == wanted
