"""``[tool.aipc.apps.NAME]``: an application, and its graphs as models of their own, called ``NAME.GRAPH``.

Which graphs an application has is known when its recipe has seen the object: the plan says it, a file that is written
into the project's ``.aipc`` directory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError, ModelLoadError
from .names import name_problem, state_path
from .option import Option, described_factory, description, option
from .tolerance import tolerance_problem

PLAN, GRAPHS = "plan.json", "graphs.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """One ``[tool.aipc.apps.NAME]`` table. Paths are relative to the file that holds it."""

    name: str
    entry: str = option(
        Option(help="what the application is made from: `file.py:factory`, a Hugging Face folder, or a `.gguf` file")
    )
    tokenizer: str | None = option(
        Option(help="`tokenizer.json`, or `file.py:function` that returns its path; the folder's own by default"), None
    )
    recipe: str | None = option(
        Option(help="which recipe turns it into graphs; found by the object's class by default"), None
    )
    options: Mapping[str, int] = described_factory(
        Option(help="the recipe's own numbers, such as `{ seconds = 10 }`"), dict
    )
    samples: tuple[str, ...] = option(
        Option(help="what the package is judged on: prompts, or patterns of audio files"), ()
    )
    soc: str | None = option(Option(help="the chip, instead of `[tool.aipc]`'s"), None)
    precision: str = option(Option(help="number format of every graph"), "fp16")
    graphs: Mapping[str, Mapping[str, Mapping[str, float]]] = described_factory(
        Option(help="`graphs.NAME.tolerance` of one graph, as `tolerance` of a model"), dict
    )


_TYPES = {"options": dict, "graphs": dict, "samples": list}
"""Key -> type in TOML, of those that are no string."""


def parse_apps(path: Path, table: Any) -> dict[str, AppConfig]:
    """Check the tables of all applications. Raises ConfigError naming the first thing that is wrong."""
    if not isinstance(table, dict):
        raise ConfigError(f"tool.aipc.apps in {path} is not a table", remedy="write [tool.aipc.apps.NAME]")
    return {name: _parse(path, name, value) for name, value in table.items()}


def _parse(path: Path, name: str, table: Any) -> AppConfig:
    where = f"[tool.aipc.apps.{name}] in {path}"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", remedy='give it at least entry = "file.py:factory"')
    keys = description(AppConfig)
    for key, value in table.items():
        if key not in keys:
            raise ConfigError(f"{where} has the unknown key {key!r}", remedy=f"known are {', '.join(keys)}")
        if not isinstance(value, _TYPES.get(key, str)):
            raise ConfigError(f"{key} of {where} has the wrong type", remedy=f"{key} is {keys[key].help}")
    if not table.get("entry"):
        raise ConfigError(f"{where} has no entry", remedy='add entry = "file.py:factory"')
    if problem := name_problem(name):
        raise ConfigError(f"{where}: the name {problem}", remedy="rename the application")
    if "." in name:
        raise ConfigError(f"{where} has a dot in its name, which separates graphs", remedy="use a dash instead")
    options, samples = table.get("options", {}), table.get("samples", [])
    if any(type(value) is not int for value in options.values()):
        raise ConfigError(f"options of {where} is not a table of whole numbers", remedy="for example { seconds = 10 }")
    if any(not isinstance(item, str) for item in samples):
        raise ConfigError(f"samples of {where} is not a list of strings", remedy='for example ["clips/*.wav"]')
    for graph, settings in table.get("graphs", {}).items():
        tolerance = settings.get("tolerance") if isinstance(settings, dict) and set(settings) == {"tolerance"} else None
        if tolerance is None:
            raise ConfigError(
                f"graphs.{graph} of {where} is not a tolerance", remedy="write tolerance = { sqnr_db = 30 } in it"
            )
        problem, remedy = tolerance_problem(tolerance)
        if problem:
            raise ConfigError(f"graphs.{graph}.tolerance of {where} {problem}", remedy=remedy)
    values_by_name: dict[str, Any] = {**table, "samples": tuple(samples)}
    return AppConfig(name=name, **values_by_name)


def app_directory(root: Path, app: str) -> Path:
    """Where the application's plan, its graphs as Python, and their packages are kept."""
    return state_path(root, "apps", app)


def graph_names(root: Path, app: str) -> tuple[str, ...]:
    """The application's graphs, in its order. Raises ModelLoadError while there is no plan."""
    return tuple(_plan(root, app)["graphs"])


def graph_tolerance(root: Path, app: str, graph: str) -> dict[str, float]:
    """Thresholds of one graph's gates: the recipe's, overridden by the configuration's."""
    return dict(_plan(root, app)["graphs"][graph]["tolerance"])


def _plan(root: Path, app: str) -> dict[str, Any]:
    path = app_directory(root, app) / PLAN
    try:
        plan: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise ModelLoadError(
            f"the graphs of the application {app} are not known yet", remedy=f"run aipc check {app} first"
        ) from None
    return plan
