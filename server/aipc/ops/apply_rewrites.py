"""What becomes of a case that does not run as it is, once deploy's rewrites are applied. For the prober's jobs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import QairtError
from aipc.core.types import Placement
from aipc.numerics.npz import write_npz
from aipc.qairt.placement import place
from aipc.qairt.soc import SoC
from aipc.rewrites.jobs import rewrite
from aipc.rewrites.proofs import Rewritten, Trigger

from .measure import measure
from .measurements import FAILS, RUNS, WRONG, Measured


@dataclass(frozen=True, slots=True)
class _Form:
    """A rewritten graph whose every rewrite was proved on some chip."""

    model: bytes
    rules: tuple[str, ...]


class Rewriter:
    """Measures cases as deploy makes them, chip after chip.

    What was rewritten and proved for one chip is measured on the next as it is; only where it does not run there are
    rules applied, and proved, for that chip too.
    """

    def __init__(self) -> None:
        self._proved: dict[Path, _Form] = {}

    def measure(self, directory: Path, facts: Mapping[str, Any], soc: SoC, *, random: bool = False) -> Measured:
        """As :func:`aipc.ops.measure.measure`; ``rules`` of the result names those that were applied."""
        known = self._proved.get(directory)
        if known is not None:
            result = _measured(directory, facts, soc, known)
            if result.verdict == RUNS:
                return result
        first = measure(directory, facts, soc, random=random)
        if first.verdict == RUNS or not facts["exports"] or random or soc.fp16 == "partial":
            # Where a chip has only a part of fp16, what it lacks no other form gives; that takes quantization.
            return first
        best = first
        fails = first.verdict == FAILS
        triggers = [Trigger.WRONG, *([Trigger.UNBUILDABLE] if fails else [])]
        for more in ((), (Trigger.COARSE,)):
            form = _rewritten(directory, soc, [*triggers, *more], full=fails)
            if form is not None:
                best = _measured(directory, facts, soc, form)
                if best.verdict == RUNS:
                    self._proved[directory] = form
            # Deploy applies the rules for what is coarse when a package misses its accuracy.
            if best.verdict != WRONG:
                break
        return best


def measure_rewritten(directory: Path, facts: Mapping[str, Any], soc: SoC, *, random: bool = False) -> Measured:
    """One case on one chip, see :class:`Rewriter`."""
    return Rewriter().measure(directory, facts, soc, random=random)


def _measured(directory: Path, facts: Mapping[str, Any], soc: SoC, form: _Form) -> Measured:
    with tempfile.TemporaryDirectory(prefix="aipc-rewritten-") as folder:
        (Path(folder) / "model.onnx").write_bytes(form.model)
        shutil.copy(directory / "arrays.npz", folder)
        return replace(measure(Path(folder), facts, soc), rules=form.rules)


def _rewritten(directory: Path, soc: SoC, triggers: list[Trigger], *, full: bool) -> _Form | None:
    with tempfile.TemporaryDirectory(prefix="aipc-rewritten-") as folder:
        out = Path(folder)
        with np.load(directory / "arrays.npz") as arrays:
            inputs = {f"in_{name.split('/')[2]}": arrays[name] for name in arrays if name.startswith("random/in/")}
        write_npz(out / "inputs.npz", inputs)
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
        return _Form((out / "model.onnx").read_bytes(), rules)
