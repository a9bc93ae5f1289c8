"""Check several models, and what a baseline says of their findings."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aipc.core.config import load_config
from aipc.core.errors import AipcError, CancelledError, InputError
from aipc.core.requests import CheckRequest
from aipc.core.types import CheckReport, Severity
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.report.baseline import fingerprint, read_baseline, split
from aipc.report.formats import Document, ModelFindings, RuleText

from ._run import OnEvent
from .checking import check
from .explaining import meanings


@dataclass(frozen=True, slots=True)
class CheckAllReport:
    """Several models of a project, checked."""

    ok: bool
    """No model was left unchecked, and no finding makes the check fail."""
    reports: tuple[CheckReport, ...]
    errors: Mapping[str, str]
    """Model -> why it could not be checked."""


def models_to_check(models: Sequence[str], *, every: bool, cwd: Path) -> tuple[str, ...]:
    """The models that are named, or all that the configuration has.

    Raises:
        InputError: neither or both, or none is configured.
    """
    if bool(models) == every:
        raise InputError("say which models, or --all for every configured model", remedy="see aipc check --help")
    if models:
        return tuple(dict.fromkeys(models))
    config = load_config(cwd)
    if not config.models:
        raise InputError(
            f"{config.root / 'pyproject.toml'} configures no models", remedy="add [tool.aipc.models.NAME] with an entry"
        )
    return tuple(config.models)


def check_all(
    requests: Sequence[CheckRequest],
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> tuple[tuple[CheckReport, ...], dict[str, str]]:
    """The reports, and for each model that could not be checked the reason. A single model raises its error."""
    reports, errors = [], {}
    with pool_or_new(pool) as workers:
        for request in requests:
            try:
                reports.append(check(request, workers, on_event, cancel))
            except CancelledError:
                raise
            except AipcError as error:
                if len(requests) == 1:
                    raise
                errors[request.model] = str(error)
    return tuple(reports), errors


def judged(
    reports: Sequence[CheckReport],
    errors: Mapping[str, str],
    *,
    baseline: Path | None = None,
    fail_on: Severity = Severity.WARNING,
    cwd: Path | None = None,
) -> Document:
    """The reports as formats are written from, each finding new or in the baseline.

    Raises:
        InputError: the baseline cannot be read.
    """
    root = repository_root(cwd or Path.cwd())
    counts = read_baseline(baseline) if baseline else Counter[str]()
    models = tuple(
        ModelFindings(report, tuple(new), tuple(fingerprint(finding, report, root) for finding in report.findings))
        for report, new in zip(reports, split(reports, root, counts), strict=True)
    )
    rules = {
        code: tuple(RuleText(_sentence(item.message), _sentence(item.remedy)) for item in items)
        for code, items in meanings().items()
    }
    return Document(
        models=models,
        root=root,
        version=_version(),
        rules=rules,
        errors=errors,
        fail_on=fail_on,
        documentation=_documentation(),
        compared=baseline is not None,
    )


def repository_root(cwd: Path) -> Path:
    """What paths are relative to: the checkout of GitHub's runner, else of git, else the present directory."""
    cwd = cwd.resolve()
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and cwd.is_relative_to(Path(workspace).resolve()):
        return Path(workspace).resolve()
    return next((place for place in (cwd, *cwd.parents) if (place / ".git").exists()), cwd)


def _sentence(text: str) -> str:
    """A rule's text without its placeholders, as a sentence."""
    for name, replacement in (("{soc}", "the chip"), ("{op}", "the operator")):
        text = text.replace(name, replacement)
    text = re.sub(r"\{\d\}", "…", text).strip()
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text else ""


def _version() -> str:
    from aipc import __version__

    return __version__


def _documentation() -> str:
    """The address of the documentation that the installed package names; "" where it names none."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        links = metadata("aipc").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return next((link.partition(",")[2].strip() for link in links if link.startswith("Documentation,")), "")
