"""One site of a class runs in the simulator; the others are compared in fp32, and classes are remembered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir

from aipc.graph.extract import infer_shapes
from aipc.rewrites.groups import group, sides, with_aliases
from aipc.rewrites.jobs import rewrite
from aipc.rewrites.proof_classes import class_of
from aipc.rewrites.proofs import Exactness, Rewritten
from aipc.rewrites.prove import prove
from aipc.rewrites.rule import Example
from aipc.rewrites.rules import get_rule

from .harness import apply, capture

CIRCULAR = 'F.pad(x, (1, 2, 0, 0), mode="circular")'


def rewritten(text: str, shape: str, directory: Path, *, every_site: bool = False) -> Rewritten:
    captured = capture(Example(text, {"x": shape}))
    (directory / "out").mkdir(parents=True)
    ir.save(captured.model, directory / "model.onnx")
    np.savez(directory / "inputs.npz", **captured.inputs)  # type: ignore[arg-type]
    return rewrite(
        lambda event: None,
        model=str(directory / "model.onnx"),
        inputs=str(directory / "inputs.npz"),
        soc="sm8650",
        off=[node.name or "" for node in captured.model.graph if node.op_type == "Pad"],
        triggers=[],
        out=str(directory / "out"),
        full=False,
        every_site=every_site,
        proofs=str(directory.parent / "cache"),
    )


def parts(text: str, inputs: dict[str, str], code: str) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The part of a model that a rule replaces, before and after."""
    captured = capture(Example(text, inputs))
    model, applied = apply(captured, get_rule(code))
    before, after = (infer_shapes(ir.serde.serialize_model(item)) for item in (captured.model, model))
    names = [{node.name for node in item.graph.node} for item in (before, after)]
    first = group(applied.applications, *names)[0]
    return sides(first, before, with_aliases(after, before, applied.aliases), applied.aliases)


def test_a_class_is_proved_once_and_remembered_by_other_models(tmp_path: Path) -> None:
    first = rewritten(CIRCULAR, "float32[1,2,7,8]", tmp_path / "first")
    assert (first.changed, first.by_class) == (True, 0)
    second = rewritten(CIRCULAR, "float32[1,3,40,30]", tmp_path / "second")
    assert (second.changed, second.by_class) == (True, 1)
    assert second.proofs[0].ok
    assert second.seconds["prove"] < first.seconds["prove"]
    assert any("of the same class" in check.words for check in second.proofs[0].checks)
    assert rewritten(CIRCULAR, "float32[1,3,40,30]", tmp_path / "third", every_site=True).by_class == 0


def test_sizes_and_weights_are_no_part_of_a_class_but_attributes_and_ranks_are() -> None:
    def of(text: str, shape: str, code: str = "pad-circular") -> str:
        return class_of(*parts(text, {"x": shape}, code))

    assert of(CIRCULAR, "float32[1,2,7,8]") == of(CIRCULAR, "float32[1,3,40,30]")
    assert of(CIRCULAR, "float32[1,2,7,8]") != of(CIRCULAR, "float32[2,7,8]")
    pooled = "F.avg_pool2d(x, {}, 1, 2)"
    classes = {of(pooled.format(size), "float32[1,4,16,16]", "average-pool-padded") for size in (4, 4, 7)}
    assert len(classes) == 2
    many = of(pooled.format(4), "float32[2,4,16,16]", "average-pool-padded")
    assert many not in classes, "an axis of one element broadcasts, one of several does not"


def test_a_site_that_differs_in_fp32_is_refused_whatever_its_class() -> None:
    before, after = parts("F.avg_pool2d(x, 4, 1, 2)", {"x": "float32[1,4,16,16]"}, "average-pool-padded")
    values = {before.graph.input[0].name: np.random.default_rng(0).standard_normal((1, 4, 16, 16)).astype(np.float32)}
    assert prove(before, after, values, "sm8650", exactness=Exactness.ROUNDING, simulate=False).ok
    wrong = onnx.ModelProto()
    wrong.CopyFrom(after)
    weight = wrong.graph.initializer[0]
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * 1.01, weight.name))
    assert class_of(before, wrong) == class_of(before, after)
    assert not prove(before, wrong, values, "sm8650", exactness=Exactness.ROUNDING, simulate=False).ok
