"""The package of an application: its graphs' packages, and what the host program needs, in one directory.

::

    manifest.json   run.py   host.py   host.npz   tokenizer.json
    golden/answers.json  golden/…           PyTorch's answers and the clips that they are to
    graphs/NAME/…                           each graph's own package, as ``aipc deploy`` writes it for a model
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aipc.recipes.runners as runners
from aipc.core.cache import Entry
from aipc.core.errors import PackageError
from aipc.core.hashing import hash_file
from aipc.core.package_manifest import APPLICATION, FORMAT, GOLDEN_ANSWERS, MANIFEST, read_manifest

from .genie import CONFIG, write_bundle
from .results import Plan


def build_application(
    out: Path, *, plan: Plan, plan_entry: Entry, golden: Path, packages: Mapping[str, Path], precision: str
) -> None:
    """Write the package into ``out``.

    Args:
        golden: directory with PyTorch's answers and the samples that are files.
        packages: of every graph, as it was deployed.
    """
    shutil.copytree(golden, out / "golden")
    first: dict[str, Any] = {}
    for name, package in packages.items():
        shutil.copytree(package, out / "graphs" / name)
        first = first or read_manifest(package)
    folder = Path(runners.__path__[0])
    shutil.copyfile(folder / f"{plan.runner}.py", out / "run.py")
    shutil.copyfile(folder / "host.py", out / "host.py")
    for name in ("host.npz", "tokenizer.json"):
        if (plan_entry.path / name).is_file():
            shutil.copyfile(plan_entry.path / name, out / name)
    host = json.loads((plan_entry.path / "host.json").read_text("utf-8"))
    note = ""
    if plan.options.get("genie"):
        note = write_bundle(out, host, tuple(packages), first["soc_model"], first["htp_arch"]) or CONFIG
    files = {path.relative_to(out).as_posix(): hash_file(path) for path in sorted(out.rglob("*")) if path.is_file()}
    manifest = {
        "format": FORMAT,
        "kind": APPLICATION,
        "model": plan.application,
        "application": plan.application,
        "reference": plan.application,
        "family": plan.family,
        "program": plan.runner,
        "options": dict(plan.options),
        "soc": first["soc"],
        "htp_arch": first["htp_arch"],
        "soc_model": first["soc_model"],
        "precision": precision,
        "qairt": first["qairt"],
        "graphs": list(packages),
        "host": host,
        "genie": note,
        "files": files,
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2), "utf-8")


def layout() -> list[str]:
    """What a package's form depends on besides its graphs, the plan and the host program."""
    return [hash_file(Path(__file__).with_name(name)) for name in ("package.py", "genie.py")]


def is_application(package: Path) -> bool:
    """Whether a directory holds an application's package."""
    try:
        return read_manifest(package).get("kind") == APPLICATION
    except PackageError:
        return False


def golden_answers(package: Path) -> list[dict[str, Any]]:
    path = package / GOLDEN_ANSWERS
    try:
        documents: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PackageError(f"{path} is missing or damaged", remedy="deploy the application again") from error
    return documents
