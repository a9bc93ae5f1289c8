"""Packages with contexts for several chips: which one is a chip's. Plain data of the manifest, read by everyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.core.errors import PackageError
from aipc.qairt.soc import SoC


def entry_for(manifest: Mapping[str, Any], soc: SoC) -> str:
    """The EPContext model of the package for this chip.

    Raises:
        PackageError: the package has none for it.
    """
    contexts = manifest.get("contexts") or [manifest]
    for context in contexts:
        if context["soc"] == soc.part:
            return str(context["entry"])
    made_for = " or ".join(context["soc"] for context in contexts)
    raise PackageError(
        f"the package was compiled for {made_for} and this device is {soc.title}",
        remedy=f"compile for this device: aipc deploy {manifest['model']} --soc {soc.part}",
    )
