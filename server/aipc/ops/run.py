"""What ``aipc ops`` is asked for: fill the data file, probe a sample again, compare two data files. Light."""

from __future__ import annotations

import importlib.metadata
import random
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aipc.core.errors import InputError
from aipc.core.types import Event
from aipc.core.workers import WorkerPool
from aipc.qairt.runtime import require_qairt
from aipc.qairt.soc import get_soc

from . import worker_jobs
from .data import Coverage, Data, MeasuredVariant, default_path, load, merged, relevant, save
from .measurements import VERDICTS, CaseFacts, Described, Measured
from .probe import ARCHS, OnEvent, Probed, probe

_LIBRARIES = ("onnxruntime", "onnxruntime-qnn", "torch", "torchvision", "onnx", "onnxscript", "onnx-ir", "numpy")


@dataclass(frozen=True, slots=True)
class Filled:
    """A data file that was written."""

    path: str
    socs: Mapping[str, int]
    variants: int
    operators: int
    verdicts: Mapping[str, Mapping[str, int]]
    coverage: Coverage
    seconds: float
    measured: int
    host_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A verdict or a reason that is not the same on both sides; None where a side does not have the variant."""

    variant: str
    soc: str
    before: Measured | None
    after: Measured | None

    @property
    def verdict(self) -> bool:
        """Whether the verdicts differ, not only the words."""
        return (self.before and self.before.verdict) != (self.after and self.after.verdict)


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A sample that was exported and measured again, against the data file."""

    compared: int
    agree: int
    changes: tuple[VerdictChange, ...]
    seconds: float

    @property
    def agreement(self) -> float:
        return self.agree / self.compared if self.compared else 1.0


def versions() -> dict[str, str]:
    """Versions that the measurements depend on; "-" for what is not installed."""
    versions_of_tools = {"qairt": require_qairt()}
    for name in _LIBRARIES:
        try:
            versions_of_tools[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions_of_tools[name] = "-"
    return versions_of_tools


def same_versions(data: Data, current: Mapping[str, str]) -> None:
    """Raises InputError: the file was measured with other versions of what measurements depend on."""
    if relevant(current) != relevant(data.versions):
        other = [name for name in relevant(current) if relevant(current)[name] != data.versions.get(name)]
        raise InputError(
            f"the data file was measured with another {', '.join(other)} than is installed",
            remedy="measure with `aipc ops --probe`, then compare with `aipc ops --diff`",
        )


def verdict_counts(data: Data) -> dict[str, dict[str, int]]:
    """SoC -> verdict -> how many variants."""
    counts = {
        soc: Counter(item.measured[soc].verdict for item in data.variants if soc in item.measured) for soc in data.socs
    }
    return {soc: {verdict: count[verdict] for verdict in VERDICTS} for soc, count in counts.items()}


def chips(archs: Sequence[str], socs: Sequence[str]) -> tuple[str, ...]:
    """The SoCs to measure: those that stand for ``archs`` (``v75`` or ``75``), and ``socs``; all archs by default.

    Raises:
        InputError, UnknownSoCError: there is no such arch or SoC.
    """
    names: dict[str, None] = {}
    for arch in archs:
        number = int(arch.lstrip("vV")) if arch.lstrip("vV").isdigit() else 0
        if number not in ARCHS:
            raise InputError(
                f"{arch} is not an HTP arch that is measured", remedy=f"choose from {', '.join(f'v{n}' for n in ARCHS)}"
            )
        names[ARCHS[number]] = None
    names |= dict.fromkeys(get_soc(soc).part for soc in socs)
    return tuple(names) or tuple(ARCHS.values())


def fill(
    pool: WorkerPool,
    on_event: OnEvent,
    cancel: threading.Event | None = None,
    *,
    socs: Sequence[str],
    fresh: bool = False,
    path: Path | None = None,
) -> Filled:
    """Measure the whole catalogue on ``socs`` and write the data file, keeping its other columns.

    Raises:
        AipcError: a case of the catalogue is wrong, the disk is full, or ``cancel`` was set.
    """
    current = versions()
    path = path or default_path(current["qairt"])
    on_event(Event("probe", "reading the catalogue", 0.0))
    cases: list[Described] = pool.run(worker_jobs.DESCRIBE, {}, cancel=cancel)
    probed = probe(cases, socs, current, pool, on_event, cancel=cancel, fresh=fresh)
    on_event(Event("probe", "writing the data file", 1.0))
    arguments = {
        "operators": sorted({name for case in cases for name in case.operators}),
        "facts": list(probed.facts.values()),
    }
    parameters, coverage = pool.run(worker_jobs.COMPLETE, arguments, cancel=cancel)
    data = Data(
        current["qairt"],
        current,
        {soc: get_soc(soc).htp_arch for soc in sorted(socs, key=lambda name: (get_soc(name).htp_arch, name))},
        _variants(probed),
        parameters,
        coverage,
    )
    if path.is_file():
        data = merged(data, load(path))
    save(data, path)
    return Filled(
        str(path),
        data.socs,
        len(data.variants),
        len(data.operators),
        verdict_counts(data),
        coverage,
        probed.seconds,
        probed.measured,
        probed.host_seconds,
    )


def _variants(probed: Probed) -> tuple[MeasuredVariant, ...]:
    return tuple(
        MeasuredVariant(
            case.id,
            case.family,
            case.operators,
            case.attributes,
            case.label,
            case.inputs,
            tuple(dict.fromkeys(probed.facts.get(case.id, CaseFacts()).nodes)),
            {soc: _portable(probed.results[case.id, soc]) for soc in probed.socs},
        )
        for case in probed.cases
    )


def _portable(measured: Measured) -> Measured:
    """Without the folder that a library happened to be installed in."""
    return replace(measured, reason=re.sub(r"[^\s'\"]*site-packages[/\\\\]", "", measured.reason))


def recheck(
    pool: WorkerPool,
    on_event: OnEvent,
    cancel: threading.Event | None = None,
    *,
    percent: float,
    socs: Sequence[str] = (),
    seed: int | None = None,
    path: Path | None = None,
) -> Rechecked:
    """Export and measure a random sample of the data file's variants again, nothing from the cache.

    Raises:
        InputError: ``percent`` is not within 0 and 100, or nothing was measured for a SoC.
    """
    if not 0 < percent <= 100:
        raise InputError(f"{percent:g} % is no sample", remedy="give more than 0 and at most 100")
    data = load(path)
    current = versions()
    same_versions(data, current)
    chosen = list(socs) or list(data.socs)
    if missing := [soc for soc in chosen if soc not in data.socs]:
        raise InputError(f"{missing[0]} is not in the data file", remedy=f"it has {', '.join(data.socs)}")
    described: list[Described] = pool.run(worker_jobs.DESCRIBE, {}, cancel=cancel)
    known = {variant.id: variant for variant in data.variants}
    cases = [case for case in described if case.id in known]
    count = max(1, round(len(cases) * percent / 100))
    sample = random.Random(seed).sample(cases, count)
    probed = probe(sample, chosen, current, pool, on_event, cancel=cancel, fresh=True, export_again=True)
    changes = [
        VerdictChange(case.id, soc, known[case.id].measured.get(soc), probed.results[case.id, soc])
        for case in sample
        for soc in chosen
    ]
    differ = tuple(change for change in changes if change.verdict)
    return Rechecked(len(changes), len(changes) - len(differ), differ, probed.seconds)


def compare(before: Path, after: Path) -> tuple[VerdictChange, ...]:
    """Every verdict and reason that differs between two data files, on the SoCs that both have."""
    old, new = load(before), load(after)
    one = {variant.id: variant for variant in old.variants}
    two = {variant.id: variant for variant in new.variants}
    changes = []
    for id in dict.fromkeys([*one, *two]):
        for soc in (soc for soc in old.socs if soc in new.socs):
            first = one[id].measured.get(soc) if id in one else None
            second = two[id].measured.get(soc) if id in two else None
            if (first and (first.verdict, first.reason)) != (second and (second.verdict, second.reason)):
                changes.append(VerdictChange(id, soc, first, second))
    return tuple(changes)
