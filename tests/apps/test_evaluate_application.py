"""An application on labelled data: its words and PyTorch's, against those that are right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.errors import InputError
from aipc.core.workers import WorkerPool


def test_word_error_rates_of_pytorch_and_of_the_package_stand_side_by_side(
    speech: engine.AppReport, project: Path, pool: WorkerPool
) -> None:
    """PyTorch's own word is right for one clip, and two other words for the other: two errors in three words."""
    assert speech.package
    shutil.copytree(project / "clips", project / "spoken", dirs_exist_ok=True)
    (project / "spoken" / "a.txt").write_text(f"{speech.expected[0].text}\n", "utf-8")
    (project / "spoken" / "b.txt").write_text("something else", "utf-8")
    request = engine.EvaluationRequest(package=Path(speech.package), data="spoken")
    report = engine.evaluate(request, pool)
    scores = report.scores
    assert (scores.metric, scores.samples, report.total, report.reference) == ("wer", 2, 2, "PyTorch")
    assert scores.reference == scores.package == pytest.approx(2 / 3)
    assert scores.worst[0].target == "something else"
    assert "wer" in (Path(report.directory) / "evaluation.html").read_text("utf-8")
    events = []
    assert engine.evaluate(request, pool, lambda event: events.append(event.message)).scores == scores
    assert not any("PyTorch answers" in message for message in events), "the answers of the first run are kept"


def test_prompts_come_from_a_function(talk: engine.AppReport, project: Path, pool: WorkerPool) -> None:
    assert talk.package
    (project / "prompts.py").write_text("def pairs():\n    return [('w7', 'w1 w2'), ('w20 w21', 'w3')]\n")
    report = engine.evaluate(
        engine.EvaluationRequest(package=Path(talk.package), data="prompts.py:pairs", count=1), pool
    )
    assert (report.scores.samples, report.total) == (1, 2)
    assert report.scores.package == report.scores.reference


def test_data_without_texts_says_what_to_give(speech: engine.AppReport, project: Path, pool: WorkerPool) -> None:
    assert speech.package
    with pytest.raises(InputError, match="clips is no labelled data of an application") as caught:
        engine.evaluate(engine.EvaluationRequest(package=Path(speech.package), data="clips"), pool)
    assert ".txt" in caught.value.remedy
