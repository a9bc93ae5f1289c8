"""A node is named by its module, its operator and its number among those, so that an edit elsewhere renames nothing."""

from __future__ import annotations

import onnx_ir as ir

from aipc.capture import export


def names(*nodes: tuple[str, str]) -> list[str]:
    """Names of a graph of (module path, operator)."""
    made = []
    for path, op in nodes:
        node = ir.Node("", op, [])
        if path:
            node.metadata_props[export._SCOPES] = repr(["", path, "call"])
        made.append(node)
    graph = ir.Graph([], [], nodes=made, opset_imports={"": 18}, name="g")
    named = export._name_nodes(ir.Model(graph, ir_version=10))
    return [named[node] for node in made]


def test_numbers_begin_with_0_in_each_module_and_for_each_operator() -> None:
    found = names(("a.b", "Conv"), ("a.b", "Relu"), ("a.b", "Conv"), ("c", "Conv"), ("", "Add"))
    assert found == ["a.b.Conv_0", "a.b.Relu_0", "a.b.Conv_1", "c.Conv_0", "Add_0"]


def test_a_node_more_in_another_module_renames_nothing() -> None:
    assert names(("a", "Conv"), ("b", "Conv"))[1] == names(("b", "Conv"))[0]
