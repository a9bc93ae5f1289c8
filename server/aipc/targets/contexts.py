"""Packages with contexts for several chips: which one is a chip's. Plain data of the manifest, read by everyone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from aipc.core.errors import PackageError
from aipc.qairt.soc import SoC


def deploy_again(manifest: Mapping[str, Any], soc: str, target: str = "") -> str:
    """The command, given in the project, that makes this package for another chip.

    Args:
        target: where it is to run; left out where it is not known.
    """
    command = ["aipc", "deploy", str(manifest.get("reference") or manifest["model"]), "--soc", soc]
    if manifest.get("precision", "fp16") != "fp16":
        command += ["--precision", str(manifest["precision"])]
    return shlex.join([*command, "--target", target] if target else command)


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
        remedy=f"compile for this device: {deploy_again(manifest, soc.part)}",
    )
