"""Jobs that open an application: they run the author's code, so they run in workers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from aipc.capture.files import recorded_files
from aipc.core import plain_data
from aipc.core.answers import Answer
from aipc.core.types import Event
from aipc.numerics.npz import write_npz
from aipc.recipes.loading import open_application
from aipc.recipes.source import Source

from .results import GraphPlan, Plan, Planned

Report = Callable[[Event], None]

_GRAPHS = '''\
"""The graphs of the application {name}, as models. Written by aipc: a change here is lost."""

from aipc.recipes.loading import open_application
from aipc.recipes.source import Source

SOURCE = {source!r}
# recipes {digest}
'''
_GRAPH = """

def {name}():
    return open_application(SOURCE).graphs()[{name!r}].module


def {name}_inputs():
    return open_application(SOURCE).graphs()[{name!r}].inputs()


def {name}_samples():
    return open_application(SOURCE).graphs()[{name!r}].samples()
"""


def plan(report: Report, *, source: Source, digest: str, out: str) -> Planned:
    """Find the recipe and write ``plan.json``, ``graphs.py`` and what the host program needs into ``out``.

    The result names the files that it depends on.
    """
    directory = Path(out)
    report(Event("plan", f"loading {source.name}"))
    with recorded_files() as files:
        recipe = open_application(source)
        graphs = recipe.graphs()
        result = Plan(
            application=source.name,
            family=recipe.FAMILY,
            runner=recipe.RUNNER,
            options=recipe.options,
            graphs={name: GraphPlan(dict(graph.tolerance)) for name, graph in graphs.items()},
        )
        numbers, arrays = recipe.host()
    (directory / "plan.json").write_text(plain_data.dumps(result), "utf-8")
    text = _GRAPHS.format(name=source.name, source=source, digest=digest)
    (directory / "graphs.py").write_text(text + "".join(_GRAPH.format(name=name) for name in graphs), "utf-8")
    (directory / "host.json").write_text(json.dumps(numbers), "utf-8")
    if arrays:
        write_npz(directory / "host.npz", arrays)
    if recipe.tokenizer is not None:
        recipe.tokenizer.save(str(directory / "tokenizer.json"))
    samples = tuple(item for item in recipe.samples if Path(item).is_absolute() and Path(item).is_file())
    return Planned(plan=result, files=files.hashes(), sample_files=samples)


def answers(report: Report, *, source: Source, out: str) -> tuple[Answer, ...]:
    """PyTorch's answers to the samples, and the samples themselves, into ``out/golden``."""
    report(Event("answers", "PyTorch answers the samples"))
    results = open_application(source).answers()
    golden = Path(out) / "golden"
    golden.mkdir(parents=True)
    named = []
    for number, answer in enumerate(results):
        path = Path(answer.sample)
        if path.is_absolute() and path.is_file():
            name = f"{number}-{path.name}"
            shutil.copyfile(path, golden / name)
            answer = Answer(sample=name, tokens=answer.tokens, text=answer.text, steps=answer.steps)
        named.append(answer)
    (golden / "answers.json").write_text(plain_data.dumps(tuple(named), indent=1), "utf-8")
    return tuple(named)
