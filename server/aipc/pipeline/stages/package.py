"""Put everything that the device needs into one self-contained directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..package import build_package, check_package, layout
from ..stage import Run, Stage


def _key(run: Run) -> Any:
    return [run.keys["compile"], run.meta("capture")["digest"], run.request.ref.name, layout()]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    manifest = build_package(
        out / "package",
        model=run.request.ref.name,
        soc=run.request.soc,
        precision=run.request.precision,
        capture=run.entries["capture"],
        compiled=run.entries["compile"],
    )
    check_package(out / "package")
    return {"files": len(manifest["files"])}


STAGE = Stage(name="package", order=70, version=2, key=_key, build=_build)
