"""Manifests of packages with a value, a name or a byte that does not belong there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from aipc.core.errors import PackageError
from aipc.core.package_manifest import check_package, ownership_problem

from ..harness import Kind, Shared, damage, dumped, mutate


def trial(random: Random, place: Path, shared: Shared) -> str:
    package = Path(shutil.copytree(shared.package, place / "package"))
    path = package / "manifest.json"
    before = json.loads(path.read_text())
    (place / "precious").write_text("x")
    if random.random() < 0.75:
        after = before
        for _ in range(random.randrange(1, 4)):
            after = mutate(random, after)
        path.write_text(dumped(after))
    else:
        damage(random, path)
    try:
        manifest = check_package(package)
    except PackageError as error:
        if len(str(error).splitlines()) != 1 or str(package) not in str(error):
            return f"not a sentence that names the package: {error}"
    else:
        if manifest["files"] != before["files"] or not manifest["outputs"] or manifest["self_test_sqnr_db"] < 0:
            return f"taken: {manifest}"
    ownership_problem(package)
    return "" if (place / "precious").exists() else "a file outside the package is gone"


KIND = Kind(name="manifests", trial=trial, fixed=0)
