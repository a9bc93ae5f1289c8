"""What becomes of a case that does not run as it is, once deploy's rewrites are applied. For the prober's jobs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import QairtError
from aipc.core.types import Placement
from aipc.qairt.placement import place
from aipc.qairt.soc import SoC
from aipc.rewrites.jobs import rewrite
from aipc.rewrites.results import Rewritten, Trigger

from .measure import measure
from .results import FAILS, RUNS, WRONG, Measured


def measure_rewritten(directory: Path, facts: Mapping[str, Any], soc: SoC, *, random: bool = False) -> Measured:
    """As :func:`measure`, of the graph that deploy makes of the case: every rewrite in it is proved.

    What the rules cannot cure is measured as it is. ``rules`` names those that were applied.
    """
    first = measure(directory, facts, soc, random=random)
    if first.verdict == RUNS or not facts["exports"] or random:
        return first
    best = first
    fails = first.verdict == FAILS
    triggers = [Trigger.WRONG, *([Trigger.UNBUILDABLE] if fails else [])]
    for more in ((), (Trigger.COARSE,)):
        found = _rewritten(directory, facts, soc, [*triggers, *more], full=fails)
        if found is not None:
            best = found
        # Deploy applies the rules for what is coarse when a package misses its accuracy.
        if best.verdict != WRONG:
            break
    return best


def _rewritten(
    directory: Path, facts: Mapping[str, Any], soc: SoC, triggers: list[Trigger], *, full: bool
) -> Measured | None:
    with tempfile.TemporaryDirectory(prefix="aipc-rewritten-") as folder:
        out = Path(folder)
        shutil.copy(directory / "arrays.npz", out)
        with np.load(directory / "arrays.npz") as arrays:
            inputs = {f"in_{name.split('/')[2]}": arrays[name] for name in arrays if name.startswith("random/in/")}
        np.savez(out / "inputs.npz", **inputs)
        try:
            # Of what does not compile, compiling to the end names the node that is to blame, as deploy does.
            report = place(directory / "model.onnx", soc, finalize=full, isolate=False)
            result: Rewritten = rewrite(
                lambda event: None,
                model=str(directory / "model.onnx"),
                inputs=str(out / "inputs.npz"),
                soc=soc.part,
                off=[node.node for node in report.nodes if node.placement is not Placement.NPU],
                triggers=[item.value for item in triggers],
                out=str(out),
                full=full,
            )
        except QairtError:
            return None
        if not result.changed:
            return None
        rules = tuple(dict.fromkeys(item.rule for item in result.applications))
        return replace(measure(out, facts, soc), rules=rules)
