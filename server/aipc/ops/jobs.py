"""The prober's jobs, for the worker pool."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache
from aipc.core.errors import StorageError
from aipc.core.hashing import hash_file, hash_value
from aipc.qairt.soc import get_soc

from .catalogue import all_cases
from .catalogue._case import Case
from .data import Coverage
from .measure import measure
from .measurements import CaseFacts, Described, Measured, ProbeProgress
from .reference import write_case

Report = Callable[[Any], None]
Measure = Callable[..., Measured]


def describe(report: Report) -> list[Described]:
    """Every case of the catalogue."""
    return [
        Described(
            case.id,
            case.family,
            case.operators,
            dict(case.attributes),
            case.label,
            tuple(item.text for item in case.inputs),
            case.random,
        )
        for case in all_cases().values()
    ]


def probe(
    report: Report,
    *,
    cases: Sequence[str],
    socs: Sequence[str],
    known: Mapping[tuple[str, str], str],
    versions: Mapping[str, str],
    root: str,
    case_seconds: int,
    export_again: bool = False,
    only: Collection[tuple[str, str]] | None = None,
    by: Measure = measure,
) -> None:
    """Measure ``cases`` on ``socs``, saying what begins and what was found (:class:`ProbeProgress`).

    Args:
        known: (case, SoC) -> content that the journal has a result for: not measured again.
        case_seconds: the process kills itself when one step takes longer.
        export_again: do not take exported cases from the cache.
        only: the (case, SoC) to measure; all when None.
    """
    cache = Cache(Path(root))
    for name in cases:
        case = all_cases()[name]
        report(ProbeProgress(name))
        _limit(case_seconds)
        key = _key(case, versions)
        if export_again:
            cache.remove(key)
        try:
            entry = cache.put(key, functools.partial(write_case, case))
        except StorageError:
            raise
        except Exception as error:
            report(ProbeProgress(name, broken=f"{type(error).__name__}: {error}"))
            continue
        facts = CaseFacts(
            tuple(entry.meta["called"]),
            tuple(entry.meta["operators"]),
            tuple(entry.meta["nodes"]),
            entry.meta["content"],
            entry.meta["seconds"],
        )
        report(ProbeProgress(name, facts=facts))
        for soc in (item for item in socs if only is None or (name, item) in only):
            if known.get((name, soc)) == facts.content:
                report(ProbeProgress(name, soc, known=True))
                continue
            report(ProbeProgress(name, soc))
            _limit(case_seconds)
            report(ProbeProgress(name, soc, measured=by(entry.path, entry.meta, get_soc(soc), random=case.random)))
    _limit(0)


def probe_rewritten(report: Report, **arguments: Any) -> None:
    """As :func:`probe`, each case rewritten as deploy does it."""
    from .apply_rewrites import Rewriter

    # A case's exports depend on the tools, not on the rules.
    versions = {name: value for name, value in arguments["versions"].items() if name != "rewrites"}
    probe(report, **{**arguments, "versions": versions}, by=Rewriter().measure)


def _limit(seconds: int) -> None:
    """End this process by SIGALRM after ``seconds``: only a signal's default action stops native code."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)


def _key(case: Case, versions: Mapping[str, str]) -> str:
    return hash_value(["operator case", case.id, case.family, dict(versions), _sources(case.family)])


@functools.lru_cache(maxsize=64)
def _sources(family: str) -> list[str]:
    """Hashes of the files that decide what a case exports to."""
    here = Path(__file__).parent
    files = [
        here / "catalogue" / f"{family}.py",
        here / "catalogue" / "_case.py",
        here / "inputs.py",
        here / "reference.py",
        *(
            here.parent / "capture" / f"{name}.py"
            for name in ("decompositions", "export", "forms", "matrices", "tables")
        ),
        here.parent / "numerics" / "fp16.py",
        here.parent / "numerics" / "stepper.py",
    ]
    return [hash_file(path) for path in files]


def complete(
    report: Report, *, operators: Sequence[str], facts: Sequence[CaseFacts]
) -> tuple[dict[str, tuple[Any, ...]], Coverage]:
    """What the data file says beside measurements: the parameters of each operator, and the coverage."""
    from .coverage import coverage
    from .signatures import parameters

    parameters_by_name = {name: parameters(name) for name in operators}
    return {name: items for name, items in parameters_by_name.items() if items}, coverage(facts)
