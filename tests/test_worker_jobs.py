"""Every worker job is a function that takes what its callers give, and says whether it runs the author's code."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import aipc
from aipc.agent.confined_pool import READABLE, WRITABLE, ConfinedPool
from aipc.core.jobs import Job
from aipc.core.workers import WorkerPool

PACKAGE = Path(aipc.__path__[0])
LISTS = {
    path.parent.name: importlib.import_module(f"aipc.{path.parent.name}.worker_jobs")
    for path in sorted(PACKAGE.glob("*/worker_jobs.py"))
}
JOBS = {
    f"{package}.{name}": value
    for package, module in LISTS.items()
    for name, value in vars(module).items()
    if isinstance(value, Job)
}
AUTHORS = {
    "apps.ANSWERS",
    "apps.MAKE_PLAN",
    "agent.FORWARD",
    "agent.REFERENCE",
    "capture.CAPTURE",
    "capture.INFER",
    "evaluation.PREPARE",
    "evaluation.PREPARE_ANSWERS",
    "evaluation.CHECK_METRIC",
    "evaluation.SCORE",
    "probes.EXAMINE",
    "probes.EXPLAIN_EXAMPLE",
    "quantize.MEASURE",
    "quantize.PREPARE",
    "quantize.REFERENCE",
    "targets.EXECUTE",
}
"""The jobs that load a model, call a data loader or a metric of the author's, or start a package's runner."""


@dataclass(frozen=True)
class Call:
    place: str
    job: str
    given: frozenset[str]
    whole: bool
    """All arguments are written at the call."""


def calls() -> Iterator[Call]:
    """Every call ``….run(JOB, {…})`` or ``….job(JOB, …)`` of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        aliases = dict(_aliases(tree, path))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.args[0])
                first, _, rest = name.partition(".")
                if first in aliases:
                    yield _call(f"{path.relative_to(PACKAGE)}:{node.lineno}", aliases[first] + rest, node)


def _aliases(tree: ast.Module, path: Path) -> Iterator[tuple[str, str]]:
    """What a file calls the lists of jobs, or single jobs of them: name -> ``package.`` or ``package.JOB``."""
    own = path.relative_to(PACKAGE).parts[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            package = (node.module or "").removeprefix("aipc.").partition(".")[0] if not node.level else own
            for item in node.names:
                if item.name == "worker_jobs":
                    yield item.asname or item.name, f"{package}."
                elif (node.module or "").endswith("worker_jobs"):
                    yield item.asname or item.name, f"{package}.{item.name}"


def _call(place: str, job: str, node: ast.Call) -> Call:
    named = {keyword.arg for keyword in node.keywords if keyword.arg}
    if isinstance(node.func, ast.Attribute) and node.func.attr == "run":
        arguments = node.args[1] if len(node.args) > 1 else None
        if not isinstance(arguments, ast.Dict):
            return Call(place, job, frozenset(), False)
        keys = [key.value for key in arguments.keys if isinstance(key, ast.Constant)]
        return Call(place, job, frozenset(keys), len(keys) == len(arguments.keys))
    return Call(place, job, frozenset(named), all(keyword.arg for keyword in node.keywords))


@pytest.mark.parametrize("name", JOBS)
def test_every_job_is_a_function_that_reports_and_takes_names(name: str) -> None:
    report, *others = inspect.signature(JOBS[name].resolve()).parameters.values()
    assert report.name == "report"
    assert all(item.kind in {item.KEYWORD_ONLY, item.VAR_KEYWORD} for item in others), "arguments are given by name"


def test_every_call_gives_a_job_what_it_takes() -> None:
    found = list(calls())
    assert len(found) > 30
    for call in found:
        parameters = list(inspect.signature(JOBS[call.job].resolve()).parameters.values())[1:]
        if any(item.kind is item.VAR_KEYWORD for item in parameters):
            continue
        names = {item.name for item in parameters}
        assert call.given <= names, f"{call.place} gives {call.job} {sorted(call.given - names)}"
        missing = {item.name for item in parameters if item.default is item.empty} - call.given
        assert not call.whole or not missing, f"{call.place} does not give {call.job} {sorted(missing)}"


def test_no_job_is_named_by_a_bare_string() -> None:
    named = re.compile(r'"aipc(\.\w+)+:\w+"')
    places = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if named.search(path.read_text("utf-8"))}
    assert places == {str(Path(package) / "worker_jobs.py") for package in LISTS}


def test_the_jobs_that_run_the_author_s_code_are_these_and_any_that_does_not_say() -> None:
    assert {name for name, job in JOBS.items() if job.runs_author_code} == AUTHORS
    assert Job("aipc.qairt.jobs:place", int).runs_author_code


@pytest.mark.parametrize("name", [*WRITABLE, *READABLE])
def test_what_the_sandbox_opens_is_an_argument_of_a_job_that_runs_the_author_s_code(name: str) -> None:
    signatures = {job: inspect.signature(JOBS[job].resolve()) for job in AUTHORS}
    assert [job for job, signature in signatures.items() if name in signature.parameters]


def test_a_job_that_does_not_say_that_it_is_harmless_runs_confined(monkeypatch) -> None:
    folder = str(Path(__file__).parent / "core")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("AIPC_TEST_SECRET", "word")
    with WorkerPool(preload=()) as workers:
        pool = ConfinedPool(workers, (folder,), 60.0)
        asked = {"name": "AIPC_TEST_SECRET"}
        assert pool.run(Job("jobs:environment", str, runs_author_code=False), asked) == "word"
        assert pool.run(Job("jobs:environment", str | None), asked) is None, "the sandbox knows no secret"
        assert pool.run("jobs:environment", asked) is None, "and what is in no list is taken for the author's"


COUNTING = '''
"""Count the words of a text."""

from aipc.core.jobs import Job
from aipc.core.types import Event

COUNT = Job("counting:count", int, runs_author_code=False)


def count(report, *, text):
    report(Event("count", f"{len(text)} characters"))
    return len(text.split())
'''


def test_one_file_adds_a_job(tmp_path, monkeypatch) -> None:
    (tmp_path / "counting.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(str(tmp_path))
    job = importlib.import_module("counting").COUNT
    events = []
    with WorkerPool(preload=()) as workers:
        assert workers.run(job, {"text": "one two \u00e4 \U0001f600"}, on_event=events.append) == 4
    assert [event.message for event in events if event.stage == "count"] == ["11 characters"]
