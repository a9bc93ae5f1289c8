"""Capture the examples of rules, rewrite them, and prove the result, with the real compiler and simulator."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
import torch.nn.functional as F
from torch import nn

from aipc.capture.export import export
from aipc.capture.recorder import ConstructionRecorder
from aipc.capture.spec import is_shape, tensor_from
from aipc.core.types import SourceMap
from aipc.qairt.stepwise import Stepper
from aipc.qairt.subgraph import infer_shapes
from aipc.rewrites.apply import apply_rules
from aipc.rewrites.groups import group, sides, with_aliases
from aipc.rewrites.prove import prove
from aipc.rewrites.results import Applied, Proof
from aipc.rewrites.rule import Example, Rule

NAMES: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "math": math}


def tensors(example: Example) -> dict[str, torch.Tensor]:
    """The example's inputs: normal values of a fixed seed for a shape, else what the expression gives."""
    torch.manual_seed(0)
    return {
        name: tensor_from(text, dims={}, seed=number) if is_shape(text) else eval(text, dict(NAMES))
        for number, (name, text) in enumerate(example.inputs.items())
    }


def module(text: str, names: list[str]) -> nn.Module:
    """The module that an example stands for, its weights from a fixed seed."""
    torch.manual_seed(0)
    scope = dict(NAMES)
    try:
        expression = ast.parse(text, mode="eval")
    except SyntaxError:
        exec(text, scope)
        return scope["Model"]().eval()
    if not {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} & set(names):
        return eval(text, scope).eval()
    exec(f"class Model(nn.Module):\n    def forward(self, {', '.join(names)}):\n        return {text}\n", scope)
    return scope["Model"]().eval()


@dataclass(frozen=True)
class Captured:
    model: ir.Model
    source_map: SourceMap
    inputs: dict[str, np.ndarray[Any, Any]]


def capture(example: Example) -> Captured:
    given = tensors(example)
    made = module(example.model, list(given))
    exported = export(made, tuple(given.values()), {}, ConstructionRecorder())
    arrays = [tensor.numpy() for tensor in given.values()]
    inputs = {value.name or "": array for value, array in zip(exported.model.graph.inputs, arrays, strict=True)}
    return Captured(exported.model, exported.source_map, inputs)


def apply(captured: Captured, *rules: Rule) -> tuple[ir.Model, Applied]:
    """The rewritten copy of a captured model."""
    model = ir.serde.deserialize_model(ir.serde.serialize_model(captured.model))
    return model, apply_rules(model, captured.source_map, rules=rules)


def proofs(captured: Captured, model: ir.Model, applied: Applied, rules: tuple[Rule, ...], soc: str) -> list[Proof]:
    """One proof for each group of applications."""
    before = infer_shapes(ir.serde.serialize_model(captured.model))
    after = infer_shapes(ir.serde.serialize_model(model))
    values = dict(captured.inputs)
    stepper = Stepper(before)
    values |= stepper.constants
    stepper.walk(captured.inputs, visit=lambda node, arguments, results: values.update(results))
    bounds = {rule.code: rule.bound_db for rule in rules}
    made = []
    names = ({node.name for node in before.graph.node}, {node.name for node in after.graph.node})
    after = with_aliases(after, before, applied.aliases)
    for item in group(applied.applications, *names):
        bound = min((bounds[code] for code in item.rules if bounds.get(code) is not None), default=None)
        first, second = sides(item, before, after)
        made.append(
            prove(
                first,
                second,
                values,
                soc,
                exactness=item.exactness,
                rules=item.rules,
                nodes=item.nodes,
                bound_db=bound,
            )
        )
    return made
