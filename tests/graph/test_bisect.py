"""The search finds the failing run of nodes wherever it lies, with few tries."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from aipc.graph.bisect import smallest_failing_run
from aipc.graph.extract import infer_shapes, subgraph
from aipc.graph.trial import TrialOutcome

LENGTH = 40


@pytest.fixture(scope="module")
def chain() -> onnx.ModelProto:
    nodes = [helper.make_node("Relu", [f"t{i}"], [f"t{i + 1}"], name=f"n{i}") for i in range(LENGTH)]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("t0", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info(f"t{LENGTH}", TensorProto.FLOAT, [1, 4])],
    )
    return infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10))


@pytest.mark.parametrize("culprits", [{"n0"}, {"n39"}, {"n17"}, {"n17", "n18"}, {"n5", "n9"}, {"n0", "n39"}])
def test_the_smallest_run_that_holds_all_culprits_is_found(chain, culprits):
    tries = []

    def test(part: onnx.ModelProto) -> TrialOutcome:
        onnx.checker.check_model(part)
        names = {node.name for node in part.graph.node}
        tries.append(names)
        return TrialOutcome.FAIL if culprits <= names else TrialOutcome.PASS

    found = smallest_failing_run(chain, [node.name for node in chain.graph.node], test)
    assert {found[0], found[-1]} <= culprits
    assert culprits <= set(found)
    assert len(tries) < 25


def test_a_part_has_the_crossing_tensors_as_inputs_and_outputs(chain):
    part = subgraph(chain, {"n3", "n4", "n8"})
    assert [value.name for value in part.graph.input] == ["t3", "t8"]
    assert [value.name for value in part.graph.output] == ["t5", "t9"]
    onnx.checker.check_model(part, full_check=True)
