"""An application's plan and PyTorch's answers, each made once by a worker and kept in the cache."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import aipc.recipes as recipes
from aipc.core.app_config import GRAPHS, PLAN, AppConfig, app_directory
from aipc.core.cache import Cache, Entry, Manifest, storage_errors
from aipc.core.errors import ConfigError
from aipc.core.hashing import hash_file, hash_files, hash_value
from aipc.core.jobs import Job
from aipc.core.plain_data import from_plain, to_plain
from aipc.core.types import Event
from aipc.core.workers import WorkerPool
from aipc.pipeline.versions import versions
from aipc.recipes.source import Source

from .results import Plan
from .worker_jobs import ANSWERS, MAKE_PLAN

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationBench:
    """What work on an application needs."""

    pool: WorkerPool
    cache: Cache
    on_event: Callable[[Event], None]
    cancel: threading.Event | None
    log: Path
    use_cache: bool = True

    def job(self, job: Job[R], **arguments: Any) -> R:
        """Run a job in a worker; its log is kept."""
        self.log.mkdir(parents=True, exist_ok=True)
        log = self.log / f"{job.name}.log"
        return self.pool.run(job, arguments, on_event=self.on_event, log=log, cancel=self.cancel)

    def entry(self, kind: str, key: Any, build: Callable[[Path], Mapping[str, Any]]) -> Entry:
        """A result that depends on ``key`` alone."""
        digest = hash_value({"application": kind, "tools": tools(), "key": key})
        if not self.use_cache:
            self.cache.remove(digest)
        return self.cache.put(digest, build)


@lru_cache(maxsize=1)
def tools() -> Mapping[str, str]:
    """Versions of what an application's results depend on besides the author's files."""
    tools_of_apps = {**versions(), "recipes": recipes_digest()}
    for name in ("transformers", "tokenizers", "gguf"):
        try:
            tools_of_apps[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            tools_of_apps[name] = "-"
    return tools_of_apps


@lru_cache(maxsize=1)
def recipes_digest() -> str:
    """Changes with every change of a recipe or a host program."""
    folder = Path(recipes.__path__[0])
    return hash_value(list(hash_files(sorted(folder.rglob("*.py"))).values()))


def source_of(app: AppConfig, root: Path) -> Source:
    return Source(
        name=app.name,
        root=str(root),
        entry=app.entry,
        tokenizer=app.tokenizer,
        recipe=app.recipe,
        options=tuple(sorted(app.options.items())),
        samples=app.samples,
    )


def _matches(source: Source) -> list[str]:
    """The files that the patterns among the samples name now: one more is another plan."""
    paths = []
    for text in source.samples:
        with suppress(ValueError, NotImplementedError, OSError):
            paths += sorted(str(path) for path in Path(source.root).glob(text)) if "*" in text else []
    return paths


def planned(source: Source, graphs: Mapping[str, Any], bench: ApplicationBench) -> tuple[Plan, Entry]:
    """The plan, from the cache while no file that it depends on has changed; its graphs are then models.

    Args:
        graphs: of the configuration: thresholds that stand above the recipe's.
    """
    primary = hash_value({"application": "plan", "tools": tools(), "key": [to_plain(source), _matches(source)]})
    manifest = Manifest(bench.cache)
    known = manifest.lookup(primary) if bench.use_cache else None
    entry = bench.cache.get(known) if known else None
    if entry is None:
        key = hash_value({"primary": primary, "unique": uuid.uuid4().hex})

        def build(directory: Path) -> Mapping[str, Any]:
            result = bench.job(MAKE_PLAN, source=source, digest=recipes_digest(), out=str(directory))
            plain: dict[str, Any] = to_plain(result)
            return plain

        entry = bench.cache.put(key, build)
        manifest.record(primary, entry.meta["files"], key)
    plan = from_plain(entry.meta["plan"], Plan)
    _write_graphs(entry, Path(source.root), plan, graphs)
    return plan, entry


def _write_graphs(entry: Entry, root: Path, plan: Plan, graphs: Mapping[str, Any]) -> None:
    """Put the plan into the project, where its graphs are found as models."""
    for name in graphs:
        if name not in plan.graphs:
            raise ConfigError(
                f"the application {plan.application} has no graph {name!r}", remedy=f"it has {', '.join(plan.graphs)}"
            )
    directory = app_directory(root, plan.application)
    with storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        text = to_plain(plan)
        for name, settings in graphs.items():
            text["graphs"][name]["tolerance"].update(settings["tolerance"])
        temporary = directory / f".{PLAN}.tmp"
        temporary.write_text(json.dumps(text, indent=1), "utf-8")
        target = directory / GRAPHS
        if not target.is_file() or hash_file(target) != hash_file(entry.path / GRAPHS):
            shutil.copyfile(entry.path / GRAPHS, target)
        temporary.replace(directory / PLAN)


def answered(source: Source, plan_entry: Entry, bench: ApplicationBench) -> Entry:
    """PyTorch's answers to the samples, in ``golden/``."""

    def build(directory: Path) -> Mapping[str, Any]:
        result = bench.job(ANSWERS, source=source, out=str(directory))
        return {"answers": to_plain(result)}

    files = {item: hash_file(item) for item in plan_entry.meta["sample_files"]}
    return bench.entry("answers", [plan_entry.path.name, files], build)
