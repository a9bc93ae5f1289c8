"""Capture the examples of rules and run the rewrite job on them, with the real compiler and simulator."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
import torch.nn.functional as F
from torch import nn

from aipc.capture.export import export
from aipc.capture.recorder import ConstructionRecorder
from aipc.capture.spec import is_shape, tensor_from
from aipc.core.types import Placement, SourceMap
from aipc.qairt.placement import place
from aipc.qairt.soc import get_soc
from aipc.rewrites.apply import apply_rules
from aipc.rewrites.jobs import rewrite
from aipc.rewrites.proofs import Applied, Rewritten, Trigger
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


def deploy(captured: Captured, trigger: Trigger, soc: str, directory: Path) -> tuple[set[str], Rewritten]:
    """What the rewrite job makes of a captured model, and the types of the operators that QAIRT refused before."""
    path = directory / "captured.onnx"
    ir.save(captured.model, path)
    np.savez(directory / "inputs.npz", **captured.inputs)  # type: ignore[arg-type]
    report = place(path, get_soc(soc))
    off = {node.node: node.op_type for node in report.nodes if node.placement is not Placement.NPU}
    (directory / "out").mkdir()
    result = rewrite(
        lambda event: None,
        model=str(path),
        inputs=str(directory / "inputs.npz"),
        soc=soc,
        off=list(off),
        triggers=sorted({Trigger.WRONG.value, trigger.value} - {Trigger.REFUSED.value}),
        out=str(directory / "out"),
        full=False,
    )
    return set(off.values()), result
