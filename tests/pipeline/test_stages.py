"""What holds of every stage, and what one file more is enough for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from aipc import engine
from aipc.pipeline import artifacts, stages
from aipc.pipeline.artifacts import (
    Artifact,
    CapturedGraph,
    CompiledGraph,
    GraphPlacement,
    QuantizedGraph,
    RewrittenGraph,
    Verification,
)
from aipc.pipeline.build import Artifacts, Build
from aipc.pipeline.run import Run
from aipc.pipeline.stages import all_stages, stages_for

STAGE = '''
"""The captured graph is small enough for a watch."""

from dataclasses import dataclass

from aipc.core.types import Gate
from aipc.pipeline.artifacts import Artifact, CapturedGraph
from aipc.pipeline.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSize(Artifact):
    bytes: int


def _weigh(run, out):
    (out / "note.txt").write_text("weighed")
    return GraphSize(bytes=run.captured.graph.stat().st_size)


STAGE = Stage(
    name="weigh",
    order=12,
    version=1,
    artifact=GraphSize,
    needs=(NEEDS),
    key=lambda build: build.captured.digest,
    make=_weigh,
    gate=lambda build, size: Gate("bytes", float(size.bytes), 1e6, size.bytes < 1e6),
    note=lambda build, size: f"{size.bytes} bytes",
)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A further place where stages are looked for."""
    place = tmp_path / "more"
    place.mkdir()
    monkeypatch.setattr(stages, "__path__", [*stages.__path__, str(place)])
    yield place
    _forget()


def _forget() -> None:
    all_stages.cache_clear()
    stages._positions.cache_clear()


def test_one_file_adds_a_stage_with_its_gate_its_cache_and_its_line_of_the_report(
    project, pool, deployed, folder, tmp_path
):
    (folder / "weigh_a.py").write_text(STAGE.replace("(NEEDS)", "(CapturedGraph,)"))
    _forget()
    request = engine.DeployRequest("model.py:Small", cwd=project, out=tmp_path / "package")
    first, again = engine.deploy(request, pool), engine.deploy(request, pool)
    for report, cached in ((first, False), (again, True)):
        names = [record.name for record in report.stages]
        assert names[:2] == ["capture", "weigh"]
        assert names[1:] == ["weigh", *(record.name for record in deployed.stages[1:])]
        record = report.stages[1]
        assert record.gate and record.gate.metric == "bytes" and record.gate.ok
        assert record.note == f"{record.gate.value:.0f} bytes"
        assert record.cached is cached
    assert all(record.cached for record in first.stages if record.name != "weigh"), "no other stage is done again"


def test_a_stage_reads_nothing_that_it_does_not_declare(project, pool, folder):
    (folder / "weigh_b.py").write_text(STAGE.replace("(NEEDS)", "()"))
    _forget()
    with pytest.raises(LookupError, match="the stage reads CapturedGraph, which is not among what it needs"):
        engine.deploy(engine.DeployRequest("model.py:Small", cwd=project), pool)


BESIDE = """\
def _weigh(run, out):
    import time
    for _ in range(600):
        if '"placement"' in (run.directory / "journal.jsonl").read_text():
            break
        time.sleep(0.1)
    else:
        raise AssertionError("placement has not begun")
"""


def test_a_stage_that_nothing_needs_yet_is_made_beside_the_next_ones(project, pool, deployed, folder):
    text = STAGE.replace("(NEEDS)", "(CapturedGraph,)").replace("def _weigh(run, out):\n", BESIDE)
    (folder / "weigh_c.py").write_text(text.replace("version=1,", "version=1,\n    beside=lambda build: True,"))
    _forget()
    report = engine.deploy(engine.DeployRequest("model.py:Small", cwd=project), pool)
    names = [record.name for record in report.stages]
    assert names == ["capture", "weigh", *(record.name for record in deployed.stages[1:])]


def test_a_stage_made_beside_others_stops_the_deployment_as_if_it_was_made_before_them(project, pool, folder):
    text = STAGE.replace("(NEEDS)", "(CapturedGraph,)").replace("size.bytes < 1e6", "False")
    answer = "return GraphSize(bytes=run.captured.graph.stat().st_size)"
    refused = STAGE.replace("(NEEDS)", "(CapturedGraph,)").replace(answer, "raise QairtError('refused')")
    refused = refused.replace("order=12", "order=14").replace("weigh", "refuse").replace("GraphSize", "Refused")
    refused = refused.replace("from aipc.core.types", "from aipc.core.errors import QairtError\nfrom aipc.core.types")
    (folder / "weigh_d.py").write_text(text.replace("version=1,", "version=1,\n    beside=lambda build: True,"))
    (folder / "weigh_e.py").write_text(refused)
    _forget()
    report = engine.deploy(engine.DeployRequest("model.py:Small", cwd=project), pool)
    assert [record.name for record in report.stages] == ["capture", "weigh"]
    assert report.stages[-1].gate and not report.stages[-1].gate.ok


def test_every_stage_needs_what_a_stage_before_it_makes() -> None:
    made: set[type[Artifact]] = set()
    for stage in all_stages():
        assert set(stage.needs) <= made, stage.name
        assert stage.artifact not in made, f"{stage.name}: another stage makes {stage.artifact.__name__}"
        made.add(stage.artifact)


def test_what_stages_make_and_are_given_cannot_be_changed() -> None:
    kinds = [kind for kind in vars(artifacts).values() if isinstance(kind, type) and issubclass(kind, Artifact)]
    assert {stage.artifact for stage in all_stages()} <= set(kinds)
    for kind in (*kinds, Artifacts, Build, Run):
        assert kind.__dataclass_params__.frozen, kind.__name__
    build = Build(request=None)  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        build.artifacts = Artifacts()  # type: ignore[misc]


def test_check_makes_the_first_artifacts_of_deploy_by_the_same_stages() -> None:
    deploy = [stage.name for stage in all_stages()]
    assert [stage.name for stage in stages_for((GraphPlacement,))] == ["capture", "placement"]
    assert [stage.name for stage in stages_for((RewrittenGraph,))] == ["capture", "placement", "rewrite"]
    quantized = [stage.name for stage in stages_for((QuantizedGraph,))]
    assert quantized == ["capture", "placement", "rewrite", "calibrate", "quantize"]
    assert [stage.name for stage in stages_for((CompiledGraph,))] == [*quantized, "compile"]
    assert [stage.name for stage in stages_for((Verification,))] == [
        name for name in deploy if name != "verify capture"
    ]


def test_another_artifact_is_another_set_and_the_first_stays_as_it_was() -> None:
    empty = Artifacts()
    one = empty.added(artifacts.BuiltPackage(files=3, key="k"))
    assert artifacts.BuiltPackage not in empty
    assert one[artifacts.BuiltPackage].files == 3
    with pytest.raises(LookupError, match="there is no CapturedGraph yet"):
        one[CapturedGraph]
    two = one.added(artifacts.QuantizedGraph(key="q"))
    assert [artifact.key for artifact in two] == ["k", "q"]
