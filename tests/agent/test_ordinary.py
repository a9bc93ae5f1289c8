"""The ordinary process: what is accepted answers the same where nothing of AIPC is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aipc.agent.job_results import OrdinaryAnswers, OrdinaryComparison, SideComparison
from aipc.agent.ordinary import link_project
from aipc.agent.ordinary_gate import same_answers
from aipc.agent.worker_jobs import ORDINARY, REFERENCE
from aipc.core.config import load_config, resolve_model
from aipc.core.types import OutputAccuracy
from aipc.core.workers import WorkerPool
from aipc.numerics.npz import read_npz

from .test_judge import TEXT, diff, judge, model

__all__ = ["model"]

SEES = """\
import os
import sys

import torch
from torch import nn

from part import factor

try:
    open({outside!r}, "w")
except OSError:
    pass


class Model(nn.Module):
    def forward(self, x):
        ours = [name for name in sys.modules if name.partition(".")[0] == "aipc"]
        variables = [name for name in os.environ if name.startswith(("AIPC_", "YOLO_", "HF_HUB_OFFLINE", "TRITON_"))]
        return x * factor, torch.tensor([float(len(ours)), float(len(variables))])

    @staticmethod
    def example_inputs():
        return (torch.ones(1, 2),)
"""


def test_the_process_has_nothing_of_aipc_reads_the_changed_text_and_cannot_write_outside(
    project: Path, pool: WorkerPool
) -> None:
    outside = project.parent / "made.txt"
    (project / "model.py").write_text(SEES.format(outside=str(outside)), "utf-8")
    (project / "part.py").write_text("factor = 2\n", "utf-8")
    ref = resolve_model("model.py:Model", project, load_config(project))
    answers, inputs = project.parent / "answers", project.parent / "inputs"
    answers.mkdir()
    sandboxed = {"ref": ref, "out": str(answers), "inputs": str(inputs), "seeds": [1]}
    pool.run(REFERENCE, sandboxed)
    outside.unlink()
    assert read_npz(answers / "real.npz")["output 1"][0] > 0, "the sandbox's own worker has them"
    out = project.parent / "ordinary"
    out.mkdir()
    arguments = {
        "ref": replace(ref, unsaved={str(project / "part.py"): "factor = 3\n"}),
        "out": str(out),
        "examples": str(inputs),
        "sets": ["real"],
        "readable": [],
        "seconds": 120.0,
    }
    result = pool.run(ORDINARY, arguments)
    assert result == OrdinaryAnswers(("real",), "", ("write outside the scratch copy (made.txt)",))
    outputs = read_npz(out / "real.npz")
    assert np.array_equal(outputs["output 0"], np.full((1, 2), 3.0))
    assert np.array_equal(outputs["output 1"], [0.0, 0.0])
    assert not outside.exists()
    assert (project / "part.py").read_text("utf-8") == "factor = 2\n"


@pytest.mark.slow
def test_a_change_that_answers_otherwise_outside_is_refused(model: Path, pool: WorkerPool) -> None:
    hidden = TEXT.replace("x * 2", "(x + x) if torch.initial_seed() < 2 else x * 3")
    report = judge(model, diff(TEXT, hidden), pool)
    assert report.verdict.failed is not None
    assert report.verdict.failed.name == "ordinary process"
    assert "answers otherwise than judged" in report.verdict.failed.words


def test_a_project_of_links_has_the_changed_text_and_no_compiled_files(tmp_path: Path) -> None:
    top, folder = tmp_path / "top", tmp_path / "folder"
    for place in (top / "net" / "__pycache__", top / "data", folder):
        place.mkdir(parents=True)
    (top / "net" / "layer.py").write_text("a = 1\n", "utf-8")
    (top / "net" / "other.py").write_text("b = 1\n", "utf-8")
    link_project(top, folder, {str(top / "net" / "layer.py"): "a = 2\r\n", str(tmp_path / "elsewhere.py"): ""})
    assert (folder / "net" / "layer.py").read_bytes() == b"a = 2\r\n"
    assert (folder / "net" / "other.py").resolve() == top / "net" / "other.py"
    assert (folder / "data").is_symlink()
    assert not (folder / "net" / "__pycache__").exists()
    assert not (folder / "elsewhere.py").exists()


def compared(original: float, changed: float | None, tried: tuple[str, ...] = ()) -> OrdinaryComparison:
    """One set of inputs, with levels in dB of the original and of a change; None: the change does not run."""
    answers = OrdinaryAnswers((), "NameError: no", tried) if changed is None else OrdinaryAnswers(("real",), "", tried)
    return OrdinaryComparison(side(original), side(changed), OrdinaryAnswers(("real",)), answers)


def side(level: float | None) -> tuple[SideComparison, ...]:
    if level is None:
        return ()
    figures = OutputAccuracy("output 0", cosine=1.0, sqnr_db=level, max_abs=0.0, max_rel=0.0)
    return (SideComparison("real", "ordinary", (figures,)),)


@pytest.mark.parametrize(
    ("comparison", "ok", "words"),
    [
        (compared(120.0, 120.0), True, "the same answers on 1 set"),
        (compared(120.0, 79.0), False, "answers otherwise than judged: output 0 has SQNR 79.0 dB"),
        (compared(120.0, None), False, "does not run on real inputs: NameError"),
        (compared(30.0, 120.0), True, "not compared: the original"),
        (compared(120.0, 120.0, ("network",)), False, "the code tried: network"),
    ],
)
def test_it_is_compared_where_the_original_is_the_same_outside(
    comparison: OrdinaryComparison, ok: bool, words: str
) -> None:
    result = same_answers(comparison, {})
    assert result.ok is ok
    assert words in result.words
