"""Proofs feed infinities, NaN, empty masks, ends of integers and ties, as far as a rule's precondition admits them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from aipc.core.types import Placement
from aipc.graph.extract import infer_shapes
from aipc.rewrites import graph as read
from aipc.rewrites.boundary import IntegerRole, integer_uses, proof_sets
from aipc.rewrites.build import Builder
from aipc.rewrites.nonfinite import NonFiniteValues
from aipc.rewrites.proofs import Exactness, NonFinite, Proof, Trigger
from aipc.rewrites.prove import prove
from aipc.rewrites.rule import Example, Rule

from .harness import apply, capture, deploy

SIGNED = {"x": "torch.linspace(-9.75, 9.75, 96).reshape(2, 48)"}


def relu_by_product(node: ir.Node, b: Builder) -> ir.Value:
    """Right for finite numbers alone: -inf times zero is NaN."""
    x = read.required(node, 0)
    return b.op("Mul", x, b.cast(b.op("Greater", x, 0.0), np.float32))


def candidate(rewrite: object, op: str, example: Example, excludes: NonFinite = NonFinite.NONE) -> Rule:
    return Rule(
        "candidate",
        "a candidate",
        (op,),
        Trigger.REFUSED,
        Exactness.EXACT,
        rewrite,  # type: ignore[arg-type]
        example,
        "",
        example,
        excludes=excludes,
    )


def proof_of(rule: Rule) -> Proof:
    captured = capture(rule.before)
    model, applied = apply(captured, rule)
    assert applied.applications, applied.refused
    before, after = (infer_shapes(ir.serde.serialize_model(item)) for item in (captured.model, model))
    return prove(before, after, captured.inputs, "sm8650", exactness=rule.exactness, excludes=rule.excludes)


def test_a_rule_that_is_right_for_finite_numbers_alone_is_refused_by_its_proof() -> None:
    proof = proof_of(candidate(relu_by_product, "Relu", Example("torch.relu(x)", SIGNED)))
    assert proof.failed is not None
    assert proof.failed.name == "equal on infinite inputs"


def test_with_its_precondition_it_is_proved_and_kept_from_graphs_that_look_for_infinities() -> None:
    rule = candidate(relu_by_product, "Relu", Example("torch.relu(x)", SIGNED), NonFinite.ANY)
    assert proof_of(rule).ok
    captured = capture(Example("torch.where(torch.isinf(x), 1.0, torch.relu(x))", SIGNED))
    _, applied = apply(captured, rule)
    assert not applied.applications
    assert "x may hold +inf or -inf" in applied.refused[0].why


def test_a_mask_that_hides_every_row_is_fed() -> None:
    def any_by_first(node: ir.Node, b: Builder) -> ir.Value:
        """Right for the example, where the first column is always true."""
        x = read.required(node, 0)
        return b.op("Or", x, b.op("Not", b.slice(x, 1, 0, 1)))

    mask = Example("x & True", {"x": "torch.ones(4, 8).tril(6).bool()"})
    proof = proof_of(candidate(any_by_first, "And", mask))
    assert proof.failed is not None
    assert proof.failed.name in ("equal on near inputs", "equal on all false inputs")


def remainder_without_sign(node: ir.Node, b: Builder) -> ir.Value:
    x, y = read.required(node, 0), read.required(node, 1)
    return b.op("Sub", x, b.op("Mul", b.op("Div", x, y), y))


def test_negative_integers_are_fed_where_the_example_has_none() -> None:
    example = Example("x % 5", {"x": "torch.arange(40)"})
    proof = proof_of(candidate(remainder_without_sign, "Mod", example))
    assert [check.ok for check in proof.checks][:2] == [True, False]


def test_a_division_by_zero_in_a_boundary_set_ends_no_process() -> None:
    def swapped(node: ir.Node, b: Builder) -> ir.Value:
        x, y = read.required(node, 0), read.required(node, 1)
        return b.op("Mul", b.op("Div", x, b.op("Mul", y, -1)), -1)

    example = Example("x // (y - 2)", {"x": "torch.arange(9)", "y": "torch.arange(9) + 3"})
    captured = capture(example)
    model, applied = apply(captured, candidate(swapped, "Div", example))
    assert applied.applications
    before, after = (infer_shapes(ir.serde.serialize_model(item)) for item in (captured.model, model))
    proof = prove(before, after, captured.inputs, "sm8650", exactness=Exactness.EXACT)
    assert proof.checks[0].ok


def test_the_graph_says_where_infinities_may_be() -> None:
    for text, op, expected in (
        ("x + 1", "Add", NonFinite.NONE),
        ("torch.where(torch.isinf(x), 0.0, x)", "Where", NonFinite.INFINITE),
        ("x.masked_fill(x > 0, float('-inf'))", "Where", NonFinite.NEGATIVE),
        ("x.masked_fill(x > 0, float('-inf')).softmax(-1)", "Softmax", NonFinite.NAN),
        ("x.masked_fill(x > 0, float('-inf')).sigmoid()", "Sigmoid", NonFinite.NONE),
        ("torch.where(torch.isinf(x), 0.0, F.relu6(x))", "Clip", NonFinite.NONE),
        ("x.clamp(0.0, float('inf'))", "Clip", NonFinite.NONE),
        ("torch.where(torch.isinf(x), 0.0, x.clamp(0, 6))", "Min", NonFinite.NONE),
        ("torch.where(torch.isinf(x), 0.0, x.clamp(min=0))", "Max", NonFinite.POSITIVE),
        ("torch.relu(x @ x.T) + torch.isnan(x.softmax(-1)).sum()", "Relu", NonFinite.NONE),
    ):
        model = capture(Example(text, SIGNED)).model
        found = NonFiniteValues(model)
        node = next(item for item in model.graph if item.op_type == op)
        assert found[node.outputs[0]] == expected, text


def test_integers_are_fed_by_what_they_are_for() -> None:
    captured = capture(
        Example(
            "x[i] + x.gather(0, j) + (k % m).float().mean()",
            {
                "x": "float32[6,5]",
                "i": "torch.tensor([0, 2, 1, 3, 5, 4])",
                "j": "torch.zeros(6, 5).long()",
                "k": "torch.arange(8)",
                "m": "torch.arange(8) + 1",
            },
        )
    )
    model = infer_shapes(ir.serde.serialize_model(captured.model))
    uses = integer_uses(model)
    assert (uses["i"].low, uses["i"].high) == (-6, 6)
    assert (uses["j"].low, uses["j"].high) == (0, 6)
    assert uses["m"].role is IntegerRole.DIVISOR
    sets = proof_sets(model, captured.inputs, NonFinite.NONE)
    assert {-6, 5} <= set(sets["near"]["i"].tolist()) <= {-6, 5, 0, 1}
    assert all((item["m"] != 0).all() for item in sets.values())
    assert any((np.abs(item["k"]) > 2**16).any() for item in sets.values())
    assert np.isnan(sets["NaN"]["x"]).any()
    assert np.isneginf(sets["infinite"]["x"][0]).all()


def test_what_becomes_floating_point_stays_where_fp32_counts() -> None:
    captured = capture(Example("x.float() / 3", {"x": "torch.arange(40)"}))
    sets = proof_sets(infer_shapes(ir.serde.serialize_model(captured.model)), captured.inputs, NonFinite.NONE)
    assert max(int(np.abs(item["x"]).max()) for item in sets.values()) <= 2**24


@pytest.mark.parametrize(("text", "left"), [("torch.nan_to_num(x)", True), ("torch.nan_to_num(x.softmax(-1))", False)])
def test_infinities_that_cannot_be_told_from_nan_are_named(text: str, left: bool, tmp_path: Path) -> None:
    captured = capture(Example(text, SIGNED))
    _, result = deploy(captured, Trigger.REFUSED, "sm8650", tmp_path)
    assert bool(result.undecidable) == left
    # Where they can, nothing is off the NPU; else the test for infinity stays refused.
    refused = result.placement is None or result.placement.count(Placement.NPU) < len(result.placement.nodes)
    assert refused == left
