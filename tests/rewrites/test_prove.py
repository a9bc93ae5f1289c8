"""A proof accepts what is right and rejects the recipes that are often given for the NPU and are wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest
import torch

from aipc.graph.extract import infer_shapes
from aipc.rewrites import graph as read
from aipc.rewrites.boundary import boundary_sets
from aipc.rewrites.build import Builder
from aipc.rewrites.proofs import Exactness, Proof, Trigger
from aipc.rewrites.prove import prove
from aipc.rewrites.rule import Example, NoMatch, Rule

from .harness import apply, capture

SIGNED = {"x": "torch.linspace(-9.75, 9.75, 96).reshape(2, 48)"}


def proof_of(example: Example, ops: tuple[str, ...], rewrite: Callable[..., ir.Value], exactness: Exactness) -> Proof:
    rule = Rule("candidate", "a candidate", ops, Trigger.REFUSED, exactness, rewrite, example, "", example)
    captured = capture(example)
    model, applied = apply(captured, rule)
    assert applied.applications
    before, after = (infer_shapes(ir.serde.serialize_model(item)) for item in (captured.model, model))
    return prove(before, after, captured.inputs, "sm8650", exactness=exactness)


def floor_by_cast(node: ir.Node, b: Builder) -> ir.Value:
    return b.cast(b.cast(read.required(node, 0), np.int32), np.float32)


def round_half_up(node: ir.Node, b: Builder) -> ir.Value:
    return b.op("Floor", b.op("Add", read.required(node, 0), 0.5))


def modulo_by_truncation(node: ir.Node, b: Builder) -> ir.Value:
    x, y = read.required(node, 0), read.required(node, 1)
    if read.is_float(x):
        raise NoMatch("the integer recipe")
    return b.op("Sub", x, b.op("Mul", b.op("Div", x, y), y))


def sample_by_resize(node: ir.Node, b: Builder) -> ir.Value:
    sizes = read.shape(node.outputs[0])
    return b.op("Resize", read.required(node, 0), None, None, np.asarray(sizes, np.int64), mode="linear")


WRONG = {
    "floor by a cast to int": (Example("torch.floor(x)", SIGNED), ("Floor",), floor_by_cast),
    "round as floor(x + 0.5)": (Example("torch.round(x)", SIGNED), ("Round",), round_half_up),
    "mod by truncating division": (
        Example("x % 3", {"x": "torch.arange(-20, 20, dtype=torch.int32)"}),
        ("Mod",),
        modulo_by_truncation,
    ),
    "grid_sample by a resize": (
        Example(
            "F.grid_sample(x, F.affine_grid(t, (1, 2, 6, 7), align_corners=False), align_corners=False)",
            {"x": "float32[1,2,8,8]", "t": "torch.tensor([[[0.9, 0.1, 0.05], [-0.1, 0.9, 0.0]]])"},
        ),
        ("GridSample",),
        sample_by_resize,
    ),
}


@pytest.mark.parametrize("exactness", [Exactness.EXACT, Exactness.ROUNDING])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_recipe_is_rejected_with_its_figures(name: str, exactness: Exactness) -> None:
    proof = proof_of(*WRONG[name], exactness)
    assert not proof.ok
    assert proof.failed is not None
    assert proof.failed.name.startswith("equal on")
    assert proof.failed.figures


def test_halves_alone_tell_rounding_apart() -> None:
    """The true inputs hold no half, so only the boundary values show the difference."""
    inputs = {"x": "torch.linspace(-3.3, 3.4, 64)"}
    proof = proof_of(Example("torch.round(x)", inputs), ("Round",), round_half_up, Exactness.ROUNDING)
    assert [check.ok for check in proof.checks] == [True, False]


def test_a_form_that_the_npu_refuses_is_rejected() -> None:
    def doubled(node: ir.Node, b: Builder) -> ir.Value:
        return b.op("Erf", read.required(node, 0))

    proof = proof_of(Example("torch.erf(x)", SIGNED), ("Erf",), doubled, Exactness.EXACT)
    assert proof.failed is not None
    assert proof.failed.name == "placed"
    assert "Erf" in proof.failed.words


def test_a_form_that_the_npu_computes_wrongly_is_rejected() -> None:
    def padded(node: ir.Node, b: Builder) -> ir.Value:
        pads = read.required(node, 1)
        return b.op("Pad", read.required(node, 0), pads, mode="edge")

    example = Example('F.pad(x, (2, 2), mode="replicate")', {"x": "float32[1,2,8]"})
    proof = proof_of(example, ("Pad",), padded, Exactness.EXACT)
    assert proof.failed is not None
    assert proof.failed.name == "simulator on true inputs"


def test_an_approximation_has_to_keep_its_bound() -> None:
    def third_power(node: ir.Node, b: Builder) -> ir.Value:
        x = read.required(node, 0)
        cube = b.op("Mul", b.op("Mul", x, x), x)
        return b.op("Sub", x, b.op("Mul", cube, 1 / 6))

    captured = capture(Example("torch.sin(x)", {"x": "torch.linspace(-0.5, 0.5, 64)"}))
    example = Example("torch.sin(x)", {"x": "torch.linspace(-0.5, 0.5, 64)"})
    rule = Rule("sine", "a sine", ("Sin",), Trigger.REFUSED, Exactness.APPROXIMATE, third_power, example, "", example)
    model, _ = apply(captured, rule)
    before, after = (infer_shapes(ir.serde.serialize_model(item)) for item in (captured.model, model))
    levels = {
        bound: prove(before, after, captured.inputs, "sm8650", exactness=Exactness.APPROXIMATE, bound_db=bound).checks[
            0
        ]
        for bound in (40.0, 90.0)
    }
    assert levels[40.0].ok
    assert not levels[90.0].ok


def test_boundary_sets_hold_what_tells_operators_apart() -> None:
    given = {"x": np.zeros((64, 64), np.float32), "index": np.arange(4)}
    sets = boundary_sets(given)
    near, far = sets["near"]["x"], sets["far"]["x"]
    assert {0.5, 1.5, -2.5} <= set(near.ravel().tolist())
    assert np.signbit(near[near == 0]).any()
    assert not np.signbit(near[near == 0]).all()
    assert (far.min(), far.max()) == (-6e4, 6e4)
    assert {0.5, -0.5, 100.5, -100.5, 1000.0, -1000.0} <= set(far.ravel().tolist())
    assert all(np.array_equal(values["index"], given["index"]) for values in sets.values())
    assert torch.tensor(near).isfinite().all()
