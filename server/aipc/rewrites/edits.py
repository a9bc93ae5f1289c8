"""The job that proves an edit of the source: the captures before and after it, held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.types import Event
from aipc.graph.difference import changes
from aipc.graph.extract import infer_shapes
from aipc.numerics.cpu import run_cpu
from aipc.numerics.metrics import compare_outputs
from aipc.numerics.npz import read_npz
from aipc.numerics.stepper import Stepper, load
from aipc.qairt.runtime import require_qairt

from .proofs import Check, Exactness, NonFinite, Proof
from .prove import ROUNDING_DB, prove
from .rules import get_rule

Array = np.ndarray[Any, Any]
Report = Callable[[Event], None]


def prove_edit(report: Report, *, before: str, after: str, inputs: str, soc: str, rules: Sequence[str]) -> Proof:
    """Hold the capture of the edited source against that of the source as it was.

    What differs is cut out of both and proved as a rewrite is: equal on the model's own tensors and on boundary values,
    compiled for the SoC with every node on the NPU, and right on the simulator. Where its results are others, it is
    proved with what reads them, up to the outputs. Then the two whole graphs are compared.

    Args:
        before, after: ONNX files, both captured on ``inputs`` (.npz).
        rules: codes of the rules that proposed the edit.

    Raises:
        QairtError: the graphs cannot be compared.
    """
    known = [get_rule(code) for code in rules]
    approximate = any(rule.exactness is Exactness.APPROXIMATE for rule in known)
    exactness = Exactness.APPROXIMATE if approximate else Exactness.ROUNDING
    bound = min((rule.bound_db for rule in known if rule.bound_db is not None), default=None)
    report(Event("prove", "comparing the graphs before and after the edit"))
    first, second = infer_shapes(load(before)), infer_shapes(load(after))
    arrays = read_npz(inputs)
    narrowest: Proof | None = None
    for change in changes(first, second):
        parts = [change.before, change.after, *(change.context or ())]
        proof = prove(
            change.before,
            change.after,
            _tensors(first, arrays, parts),
            soc,
            exactness=exactness,
            rules=rules,
            nodes=change.removed,
            excludes=reduce(or_, (rule.excludes for rule in known), NonFinite.NONE) if known else NonFinite.ANY,
            bound_db=bound,
            context=change.context,
        )
        narrowest = narrowest or proof
        # What the edit shifts or scales may be undone further on: only other numbers are a reason to look there.
        if proof.ok or not _other_numbers(proof):
            break
    if narrowest is None:
        check = Check("changed", False, wanted="another graph", words="the edit changes nothing")
        return Proof(tuple(rules), (), soc, require_qairt(), exactness, (check,))
    if not proof.ok:
        return narrowest
    level = ROUNDING_DB if bound is None or not approximate else bound
    return replace(proof, checks=(*proof.checks, _equal_as_a_whole(before, after, arrays, level)))


def _other_numbers(proof: Proof) -> bool:
    failed = proof.failed
    return failed is not None and failed.name.startswith("equal on") and bool(failed.figures)


def _tensors(
    model: onnx.ModelProto, arrays: Mapping[str, Array], parts: Sequence[onnx.ModelProto]
) -> Mapping[str, Array]:
    """What the parts read, as the model computes it."""
    wanted = {value.name for part in parts for value in part.graph.input}
    stepper = Stepper(model)
    tensors = {name: array for name, array in {**stepper.constants, **arrays}.items() if name in wanted}

    def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
        tensors.update({name: array for name, array in results.items() if name in wanted})

    stepper.walk(arrays, visit=visit)
    return tensors


def _equal_as_a_whole(before: str, after: str, arrays: Mapping[str, Array], level: float) -> Check:
    """Both graphs to the end, in fp32 on the CPU. Outputs are compared in order: their names may be others."""
    wanted, got = run_cpu(Path(before), arrays), run_cpu(Path(after), arrays)
    figures = compare_outputs(wanted, dict(zip(wanted, got.values(), strict=True)))
    ok = all(item.sqnr_db >= level - _SLACK_DB and not item.nan + item.inf for item in figures)
    return Check("equal as a whole", ok, tuple(figures), f"SQNR {level - _SLACK_DB:g} dB")


_SLACK_DB = 20.0
"""Rounding of one place grows on the way through a deep model."""
