"""One package for several chips: a context for each, of which the runner takes the one of the chip that it is on.

QAIRT can also put several chips into one binary (``soc_model`` and ``htp_arch`` as lists), but its simulator does not
load such a binary (error 5005), so nobody could verify it here: each chip has a context of its own that was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.cache import storage_errors
from aipc.core.errors import PackageError
from aipc.core.hashing import hash_file
from aipc.targets.device_runner import RECORDING, RUNNER

from .package import MANIFEST, check_package

_OF_A_CONTEXT = (
    "soc",
    "soc_model",
    "htp_arch",
    "vtcm_mb",
    "soc_names",
    "qairt",
    "entry",
    "cpu_nodes",
    "capture",
    "gates",
)
"""What of a manifest belongs to one chip; the rest is the same for all."""
_THE_SAME = ("model", "precision", "inputs", "outputs")


def merge_packages(parts: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Write the packages of one model for several chips as one into the new directory ``out``.

    Args:
        parts: SoC -> its verified package.

    Raises:
        PackageError: a part is damaged, or the parts are not of one model.
    """
    manifests = {soc: check_package(package) for soc, package in parts.items()}
    first_soc, first = next(iter(manifests.items()))
    for soc, manifest in manifests.items():
        for key in _THE_SAME:
            if manifest[key] != first[key]:
                raise PackageError(
                    f"the packages for {first_soc} and {soc} differ in {key} and cannot be one", remedy="deploy again"
                )
    contexts = []
    with storage_errors(out.parent):
        out.mkdir(parents=True)
        for shared in ("golden", RUNNER.name, RECORDING.name):
            _copy(parts[first_soc] / shared, out / shared)
        for soc, manifest in manifests.items():
            own = [name for name in manifest["files"] if "/" not in name and name not in {RUNNER.name, RECORDING.name}]
            (out / soc).mkdir()
            for name in own:
                shutil.copyfile(parts[soc] / name, out / soc / name)
            context = {key: manifest[key] for key in _OF_A_CONTEXT if key in manifest}
            contexts.append({**context, "entry": f"{soc}/{manifest['entry']}"})
        files = {path.relative_to(out).as_posix(): hash_file(path) for path in sorted(out.rglob("*")) if path.is_file()}
        merged = {**first, **contexts[0], "contexts": contexts, "files": files}
        names = {name for context in contexts for name in context.get("soc_names", ())}
        merged["other_socs"] = [name for name in first.get("other_socs", ()) if name not in names]
        merged["self_test_sqnr_db"] = min(manifest["self_test_sqnr_db"] for manifest in manifests.values())
        merged.pop("deployments", None)
        (out / MANIFEST).write_text(json.dumps(merged, indent=2), "utf-8")
    return merged


def _copy(source: Path, destination: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, destination, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, destination)
