"""What a deployment tries by itself where a stage fails; with the real compiler and simulator where it deploys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.errors import QairtError
from aipc.core.frontier import Tried
from aipc.core.types import Gate, StageRecord
from aipc.pipeline import remedies
from aipc.pipeline.attempt import Attempt, merit
from aipc.pipeline.attempts import Attempts
from aipc.pipeline.journal import read_journal
from aipc.pipeline.outcome import Outcome
from aipc.pipeline.remedies import all_remedies
from aipc.pipeline.remedy import Proposal, Remedy
from aipc.pipeline.stages import all_stages
from aipc.pipeline.variant import Variant, variant_for

CASES = Path(__file__).parents[2] / "benchmarks" / "case_models"
MODEL = """
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.relu(self.conv(x))


class Normalized(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.rand(64))

    def forward(self, x):
        # The compiler takes every node of this alone, and cannot build them together.
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class Pooler(nn.Module):
    # The end of BERT: the compiler fuses product and tanh, which leaves 44 dB of 68.

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.dense = nn.Linear(64, 64)

    def forward(self, x):
        return torch.tanh(self.dense(x[:, 0]))


def build():
    return Layer()


def normalized():
    return Normalized()


def pooler():
    return Pooler()
"""
CONFIGURATION = """
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.layer]
entry = "model.py:build"
inputs = "float32[1,3,16,16]"
calibration = "random"
calibration_count = 4
tolerance = { sqnr_db = 50 }

[tool.aipc.models.pooler]
entry = "model.py:pooler"
inputs = "float32[1,8,64]"
tolerance = { sqnr_db = 55 }

[tool.aipc.models.normalized]
entry = "model.py:normalized"
inputs = "float32[1,128,64]"
"""
REMEDY = '''
"""Deploy in fp16 what misses its tolerance in integers."""

from dataclasses import replace

from aipc.pipeline.remedy import Proposal, Remedy


def _proposals(case):
    yield Proposal(variant=replace(case.variant.with_plan(None), held_out=True), measure="fp16 instead of integers")


REMEDY = Remedy(
    name="fp16-instead",
    stages=frozenset({"verify"}),
    cost=1,
    changes="the precision",
    promise="the package passes the same gates",
    applies=lambda case: case.fp16 and case.plan is not None,
    proposals=_proposals,
)
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    return tmp_path


def test_every_remedy_is_named_after_its_file_and_is_for_stages_that_there_are() -> None:
    files = {path.stem.replace("_", "-") for path in Path(remedies.__path__[0]).glob("[a-z]*.py")}
    assert {item.name for item in all_remedies()} == files
    names = {stage.name for stage in all_stages()}
    assert all(item.stages <= names for item in all_remedies())
    assert [item.cost for item in all_remedies()] == sorted(item.cost for item in all_remedies())


def test_one_file_adds_a_remedy(workspace, pool, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "fp16_instead.py").write_text(REMEDY)
    monkeypatch.setattr(remedies, "__path__", [*remedies.__path__, str(folder)])
    all_remedies.cache_clear()
    try:
        report = engine.deploy(engine.DeployRequest("layer", precision="w8a8", cwd=workspace), pool)
    finally:
        all_remedies.cache_clear()
    assert report.ok
    assert report.precision == "fp16"
    (record,) = report.remedies
    assert (record.name, record.stage, record.helped) == ("fp16-instead", "verify", True)
    assert record.measure == "fp16 instead of integers"
    assert "wanted 50" in record.failure
    assert [item.ok for item in report.frontier.tried] == [False, True]


def test_what_cannot_be_built_is_rewritten_and_nothing_is_done_twice(workspace, pool) -> None:
    request = engine.DeployRequest("normalized", cwd=workspace, use_cache=False)
    report = engine.deploy(request, pool)
    assert report.ok
    (record,) = report.remedies
    assert (record.name, record.stage, record.helped) == ("rewrite-unbuildable", "compile", True)
    events = read_journal(Path(report.run))
    captures = {event["key"] for event in events if event["event"] == "stage done" and event["stage"] == "capture"}
    assert len(captures) == 1, "without the cache a capture has a key of its own each time"
    assert [item.name for item in report.stages] == [stage.name for stage in all_stages()]


def test_what_the_compiler_fuses_coarsely_is_kept_apart(workspace, pool) -> None:
    report = engine.deploy(engine.DeployRequest("pooler", cwd=workspace), pool)
    assert report.ok
    (record,) = report.remedies
    assert (record.name, record.stage, record.helped) == ("rewrite-fused", "verify", True)
    assert "unfused-activation" in next(item.note for item in report.stages if item.name == "rewrite")
    assert report.accuracy["outputs"][0].sqnr_db > 60


def test_a_row_that_is_masked_whole_stays_uniform(tmp_path: Path, pool) -> None:
    file = CASES / "mask_lowest.py"
    entries = f"[tool.aipc.models.masked]\nentry = '{file}:Model'\ninputs = '{file}:example'\n"
    (tmp_path / "pyproject.toml").write_text(entries)
    report = engine.deploy(engine.DeployRequest("masked", soc="sm8650", cwd=tmp_path), pool)
    assert report.ok
    assert [(item.name, item.helped) for item in report.remedies] == [("rewrite-masked", True)]
    assert "softmax-with-floor" in next(item.note for item in report.stages if item.name == "rewrite")


def test_a_package_farther_off_on_a_probe_is_not_nearer_for_its_example() -> None:
    gate = Gate("sqnr_db", 17.0, 40.0, False)
    outcome = Outcome(failed=StageRecord("verify", 0.0, False, gate), error=None, stage="verify")
    candidate = Tried("", "", False, sqnr_db=63.0)
    on_the_probe = Attempt(variant=Variant(), outcome=outcome, run=None, measure="", candidate=candidate)
    assert on_the_probe.sqnr_db == 17.0
    assert merit(on_the_probe) < merit(attempt(value=27))


def attempt(
    stage: str = "verify", value: float | None = None, *, ok: bool = False, error: bool = False, wanted: float = 40.0
) -> Attempt:
    gate = None if ok or error else Gate("sqnr_db", value, wanted, False)
    outcome = Outcome(
        failed=StageRecord(stage, 0.0, False, gate) if gate else None,
        error=QairtError("refused") if error else None,
        stage=stage,
    )
    candidate = Tried("", "", ok, sqnr_db=value if stage == "verify" else None)
    return Attempt(variant=Variant(), outcome=outcome, run=None, measure="", candidate=candidate)


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        (attempt(value=41, ok=True), attempt(value=39)),
        (attempt(value=61, ok=True), attempt(value=41, ok=True)),
        (attempt(value=30), attempt(value=20)),
        (attempt(value=-3), attempt("compile", error=True)),
        (attempt("rewrite", 2, wanted=0), attempt("compile", error=True)),
        (attempt("rewrite", 1, wanted=0), attempt("rewrite", 2, wanted=0)),
        (attempt("verify capture", 95, wanted=100), attempt("verify capture", 90, wanted=100)),
        (attempt("placement", error=True), attempt("capture", error=True)),
    ],
)
def test_which_of_two_attempts_is_nearer_to_a_package(nearer: Attempt, farther: Attempt) -> None:
    assert merit(nearer) > merit(farther)


class Bench:
    """Gives each variant the figure that the test says."""

    fp16 = True

    def __init__(self, **figures: float) -> None:
        self.figures, self.order = figures, []

    def threshold_db(self, plan) -> float:
        return 40.0

    def build(self, variant, label, measure, remedy, base) -> Attempt:
        self.order.append(measure)
        value = self.figures[measure]
        made = attempt(value=value, ok=value >= 40)
        return Attempt(
            variant=variant,
            outcome=made.outcome,
            run=None,
            measure=measure,
            candidate=Tried(label, measure, made.ok, sqnr_db=value),
        )

    def introduced_error(self, attempt):
        return None

    def judged(self, record) -> None:
        pass


def opset(number: int, name: str, cost: int, keeps: str = "better") -> Remedy:
    def proposals(case):
        yield Proposal(variant=replace(case.variant, opset=number), measure=name)

    return Remedy(
        name=name,
        stages=frozenset({"verify"}),
        cost=cost,
        changes="the operator set",
        promise="",
        applies=lambda case: True,
        proposals=proposals,
        keeps=keeps,
    )


@pytest.fixture
def only(monkeypatch):
    def use(*items: Remedy) -> None:
        ordered = tuple(sorted(items, key=lambda item: item.cost))
        monkeypatch.setattr("aipc.pipeline.attempts.all_remedies", lambda: ordered)

    return use


def test_the_cheapest_comes_first_and_nothing_is_tried_after_what_passed(only) -> None:
    only(opset(3, "dear", 30), opset(2, "cheap", 20), opset(1, "useless", 10))
    bench = Bench(base=20, useless=10, cheap=50, dear=90)
    attempts = Attempts(bench)
    taken = attempts.repair(attempts.attempt(variant_for("fp16"), "base"))
    assert (taken.measure, taken.variant.opset) == ("cheap", 2)
    assert bench.order == ["base", "useless", "cheap"]
    assert [(item.name, item.helped) for item in attempts.remedies] == [("useless", False), ("cheap", True)]


def test_what_does_not_help_is_left_out_of_what_is_tried_next(only) -> None:
    only(opset(1, "useless", 10), opset(2, "first", 20), opset(3, "second", 30, keeps="passing"))
    bench = Bench(base=20, useless=10, first=30, second=35)
    attempts = Attempts(bench)
    taken = attempts.repair(attempts.attempt(variant_for("fp16"), "base"))
    assert taken.measure == "first", "second comes nearer, and is kept only where it passes"


def test_nothing_is_tried_on_what_passes(only) -> None:
    only(opset(1, "useless", 10))
    bench = Bench(base=45)
    attempts = Attempts(bench)
    assert attempts.repair(attempts.attempt(variant_for("fp16"), "base")).ok
    assert bench.order == ["base"]
    assert attempts.remedies == []
