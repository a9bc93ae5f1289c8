"""Whisper as an application: from the library's object to a package that answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.errors import AipcError
from aipc.core.workers import WorkerPool
from conftest import tone


def run_alone(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The package's own program, in a Python that does not see AIPC."""
    command = [sys.executable, "-I", "-c", _ALONE, str(Path(package) / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


_ALONE = """\
import runpy, sys
from pathlib import Path
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"aipc", "torch", "transformers", "onnx"}:
            raise ImportError("the package may not need " + name)
sys.meta_path.insert(0, Refused())
sys.dont_write_bytecode = True
sys.argv = sys.argv[1:]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_package_gives_pytorchs_tokens_and_carries_every_graph(speech: engine.AppReport) -> None:
    assert speech.ok and speech.gate and speech.gate.value == 1.0, speech.gate
    assert [answer.tokens for answer in speech.answers] == [answer.tokens for answer in speech.expected]
    assert all(len(answer.tokens) > 3 for answer in speech.expected)
    assert list(speech.graphs) == ["encoder", "decoder"]
    assert all(
        graph.ok and graph.placement == {"npu": graph.placement["npu"], "cpu": 0, "fails": 0}
        for graph in speech.graphs.values()
    )
    assert speech.package and {path.name for path in Path(speech.package).iterdir()} == {
        "manifest.json",
        "run.py",
        "host.py",
        "host.npz",
        "tokenizer.json",
        "golden",
        "graphs",
    }


def test_the_program_prints_the_text_of_an_audio_file_without_pytorch(speech: engine.AppReport, project: Path) -> None:
    assert speech.package
    ran = run_alone(speech.package, "--audio", str(project / "clips" / "b.wav"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == speech.expected[1].text != ""


def test_the_self_test_passes_and_fails_with_the_answers(speech: engine.AppReport, edited) -> None:
    assert speech.package
    passed = run_alone(speech.package, "--self-test", "--json")
    assert passed.returncode == 0, passed.stderr
    assert json.loads(passed.stdout)["self_test"]["passed"]
    assert json.loads(passed.stdout)["tokens_per_second"] is None  # a simulator has no speed

    def other_token(answers: list) -> None:
        answers[0]["tokens"][1] = (answers[0]["tokens"][1] + 7) % 40
        answers[0]["steps"][1] = {"tokens": [answers[0]["tokens"][1]], "logits": [9.0]}

    assert run_alone(str(edited(other_token)), "--self-test").returncode == 1


def test_verify_gates_the_tokens_as_the_deployment_did(edited, pool: WorkerPool) -> None:
    def shorter(answers: list) -> None:
        del answers[1]["tokens"][-1], answers[1]["steps"][-1]

    report = engine.verify(edited(shorter), pool=pool)
    assert not report.ok and report.gate.value == 0.5
    assert "PyTorch's is None" in report.gate.detail


def test_run_and_verify_find_the_package_by_the_applications_name(
    speech: engine.AppReport, project: Path, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    Path("speech").mkdir()  # sources may lie in a directory of the same name
    package = engine.application_package(Path("speech"))
    assert package and str(package) == speech.package
    ran = engine.run_application(package, ["--audio", str(project / "clips" / "a.wav")], pool=pool)
    assert ran.answers[0].tokens == speech.expected[0].tokens and ran.tokens_per_second is None
    listed = engine.packages_to_verify(None, every=True, cwd=project)
    assert package in listed and not any("graphs" in path.parts for path in listed)  # these are verified with it


def test_a_second_deployment_comes_from_the_cache(speech: engine.AppReport, project: Path, pool: WorkerPool) -> None:
    events = []
    again = engine.deploy_application(
        engine.ApplicationRequest(application="speech", cwd=project), pool, lambda event: events.append(event)
    )
    assert again.ok and again.answers == speech.answers
    assert all(stage.cached for graph in again.graphs.values() for stage in graph.stages)
    assert not any("answer 1" in event.message for event in events)


def test_a_graph_is_a_model_by_the_name_of_application_and_graph(
    speech: engine.AppReport, project: Path, pool: WorkerPool
) -> None:
    report = engine.check(engine.CheckRequest("speech.decoder", full=False, cwd=project), pool)
    assert report.model == "speech.decoder" and report.placement["npu"] == report.nodes > 20
    with pytest.raises(AipcError, match=r"no graph 'middle'.*encoder, decoder"):
        engine.check(engine.CheckRequest("speech.middle", cwd=project), pool)


def test_findings_of_a_graph_point_at_the_authors_construction(
    speech: engine.AppReport, project: Path, pool: WorkerPool
) -> None:
    from aipc.pipeline.artifacts import read_source_map

    report = engine.check(engine.CheckRequest("speech.encoder", full=False, cwd=project), pool)
    assert report.source_map
    sources = read_source_map(Path(report.source_map))
    frames = [frame for origins in sources.nodes.values() for origin in origins for frame in origin.frames]
    lines = {frame.range.start.line for frame in frames if frame.range.file == str(project / "models.py")}
    text = (project / "models.py").read_text("utf-8").splitlines()
    assert any("WhisperForConditionalGeneration(config)" in text[line - 1] for line in lines)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: tone(folder / "silent.wav", seconds=0.5, level=0.0), "silent.wav has no speech — it is silent"),
        (
            lambda folder: tone(folder / "long.wav", seconds=1.5),
            "long.wav has 1.5 s of audio and the package takes 1 s",
        ),
        (lambda folder: folder / "missing.wav", "there is no file .*missing.wav"),
        (lambda folder: text_file(folder / "text.wav"), "text.wav is not a .wav file of whole numbers"),
    ],
)
def test_audio_that_cannot_be_understood_is_one_sentence(
    speech: engine.AppReport, tmp_path: Path, pool: WorkerPool, make, sentence: str
) -> None:
    assert speech.package
    with pytest.raises(AipcError, match=sentence):
        engine.run_application(Path(speech.package), ["--audio", str(make(tmp_path))], pool=pool)


def text_file(path: Path) -> Path:
    path.write_text("not audio", "utf-8")
    return path


@pytest.mark.parametrize(
    ("application", "sentence"),
    [
        ("wrong-words", "the tokenizer does not fit the model: its tokens go up to 40 and the model has 40"),
        ("wrong-option", "the recipe whisper has no option 'minutes' — its options are seconds, tokens"),
        ("wrong-window", "a window of 30 s is more than the model's 2 s"),
        ("no-clips", "there is no file nowhere/\\*.wav"),
        ("unknown-family", "no recipe fits Linear"),
        ("nobody", "there is no application called 'nobody' — configured applications: speech"),
    ],
)
def test_an_application_that_cannot_be_made_is_one_sentence(
    project: Path, pool: WorkerPool, application: str, sentence: str
) -> None:
    with pytest.raises(AipcError, match=sentence):
        engine.check_application(engine.ApplicationRequest(application=application, cwd=project), pool=pool)
