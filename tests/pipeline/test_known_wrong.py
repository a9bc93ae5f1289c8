"""What the NPU is known to compute wrongly comes with the first findings and its figures, where the graph has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aipc.core.types import (
    Finding,
    Fix,
    Frame,
    NodePlacement,
    Origin,
    Placement,
    PlacementReport,
    Position,
    Range,
    Severity,
    SourceMap,
)
from aipc.engine.known_wrong import with_known_wrong

CALL = 'F.pad(x, (2, 2, 2, 2), mode="replicate")'
SOURCE = f"""\
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        größe = {CALL}
        return größe + 1

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8),)
"""
PLACE = Range("model.py", Position(7, 16), Position(7, 16 + len(CALL)))
SOURCES = SourceMap({"pad": (Origin((Frame(PLACE, "forward", False),)),)})
SOLVED = Finding(
    "wrong-numbers", Severity.INFORMATION, "It is wrong.", PLACE, nodes=("pad",), fixes=(Fix("A is B", "r"),)
)


def known(findings, op_type="Pad", *, rewritten=False, sources=SOURCES, text=SOURCE):
    nodes = (NodePlacement("pad", op_type, Placement.NPU), NodePlacement("add", "Add", Placement.NPU))
    placement = PlacementReport("sm8650", 75, "fp16", "2.51", nodes, 1)
    return with_known_wrong(findings, placement, sources, {"model.py": text}, rewritten=rewritten)


def test_the_figures_are_there_before_anything_is_proved():
    (finding,) = known(())
    assert (finding.rule, finding.range, finding.nodes) == ("wrong-numbers", PLACE, ("pad",))
    assert "dB SQNR when it was measured, for example -131008 instead of" in finding.message
    assert finding.message.endswith("Deploy solves this by itself.")
    assert finding.severity is Severity.INFORMATION


def test_what_deploy_did_not_rewrite_is_not_said_to_be_solved():
    (finding,) = known((), rewritten=True)
    assert finding.severity is Severity.WARNING
    assert "Deploy solves" not in finding.message


def test_a_rewrite_keeps_its_finding_and_gets_the_figures():
    (finding,) = known((SOLVED,), rewritten=True)
    assert finding.fixes == SOLVED.fixes
    assert "for example -131008 instead of" in finding.message
    assert finding.message.endswith("Deploy solves this by itself: A is B.")


@pytest.mark.parametrize("evidence", [{"sqnr_db": 3.0}])
def test_numbers_that_were_measured_on_this_model_stay(evidence):
    measured = replace(SOLVED, evidence=evidence)
    assert known((measured,)) == (measured,)


def test_nothing_is_said_of_what_the_graph_does_not_have():
    assert known((), "Gather") == ()
    assert known((), sources=SourceMap()) == ()
    assert known((), text=SOURCE.replace("replicate", "constant")) == ()
