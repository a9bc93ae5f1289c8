"""Measure the variants that do not run once more, rewritten as deploy does it; keep what became of them. Light."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aipc.rewrites as rewrites
from aipc.core.hashing import hash_files, hash_value
from aipc.core.types import Event
from aipc.core.workers import WorkerPool
from aipc.qairt.soc import get_soc

from . import worker_jobs
from .data import Becomes, Data, default_path, load, save
from .measurements import NO_EXPORT, RUNS, Described
from .probe import OnEvent, probe
from .run import same_versions, versions


@dataclass(frozen=True, slots=True)
class Share:
    """How many variants run on a chip: as they are written, and rewritten."""

    soc: str
    arch: int
    variants: int
    before: int
    after: int | None
    """None where rewriting was not measured."""
    fp16: str = "yes"
    """Whether the chip's NPU computes in fp16: ``yes``, ``partial`` or ``no``."""

    @property
    def rewritten(self) -> str:
        """``after`` as a table shows it."""
        if self.fp16 == "no":
            return "no fp16: needs quantization"
        text = "not measured" if self.after is None else share_text(self.after, self.variants)
        return f"{text}; fp16 in part, the rest needs quantization" if self.fp16 == "partial" else text


def share_text(count: int, of: int) -> str:
    return f"{count} ({100 * count / max(1, of):.1f} %)"


def shares(data: Data) -> tuple[Share, ...]:
    """The share of every SoC of a data file."""
    rows = []
    for soc, arch in data.socs.items():
        verdicts = {item.id: item.measured[soc].verdict for item in data.variants if soc in item.measured}
        before = sum(verdict == RUNS for verdict in verdicts.values())
        known = {id: by_soc[soc] for id, by_soc in data.rewritten.items() if soc in by_soc}
        cured = sum(item.verdict == RUNS and verdicts.get(id) != RUNS for id, item in known.items())
        rows.append(Share(soc, arch, len(verdicts), before, before + cured if known else None, get_soc(soc).fp16))
    return tuple(rows)


def fill_rewritten(
    pool: WorkerPool,
    on_event: OnEvent,
    cancel: threading.Event | None = None,
    *,
    socs: Sequence[str] = (),
    fresh: bool = False,
    path: Path | None = None,
) -> tuple[Share, ...]:
    """Measure, rewritten, what the data file says does not run, and keep it in the file.

    SoCs without fp16 are left out: what their NPU needs is quantization.

    Raises:
        InputError: the file was measured with other versions than are installed.
        AipcError: the disk is full, or ``cancel`` was set.
    """
    current = versions()
    path = path or default_path(current["qairt"])
    data = load(path)
    same_versions(data, current)
    chosen = [soc for soc in (socs or data.socs) if soc in data.socs and get_soc(soc).fp16 != "no"]
    # What is proved on the first is measured on the others: a chip with a part of fp16 proves the least.
    chosen.sort(key=lambda soc: get_soc(soc).fp16 != "yes")
    wanted = {
        (item.id, soc)
        for item in data.variants
        for soc in chosen
        if soc in item.measured and item.measured[soc].verdict not in (RUNS, NO_EXPORT)
    }
    described: list[Described] = pool.run(worker_jobs.DESCRIBE, {}, cancel=cancel)
    cases = [case for case in described if any((case.id, soc) in wanted for soc in chosen)]
    on_event(Event("rewrite", f"{len(cases)} variants", 0.0))
    catalogue = hash_value(list(hash_files(sorted(Path(rewrites.__path__[0]).rglob("*.py"))).values()))
    probed = probe(
        cases,
        chosen,
        {**current, "rewrites": catalogue},
        pool,
        on_event,
        cancel=cancel,
        fresh=fresh,
        job=worker_jobs.PROBE_REWRITTEN,
        only=wanted,
    )
    rewritten: dict[str, Mapping[str, Becomes]] = {
        id: {soc: item for soc, item in by_soc.items() if soc not in chosen} for id, by_soc in data.rewritten.items()
    }
    for (id, soc), result in probed.results.items():
        if (id, soc) in wanted and result.rules:
            rewritten[id] = {**rewritten.get(id, {}), soc: Becomes(result.verdict, result.rules)}
    data = replace(data, rewritten={id: by_soc for id, by_soc in rewritten.items() if by_soc})
    save(data, path)
    return shares(data)
