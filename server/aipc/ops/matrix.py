"""What a torch operator does on a SoC, from the data file: the look-up for ``aipc ops`` and a linter. Light."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aipc.core.errors import InputError
from aipc.qairt.soc import SoC, get_soc

from . import data as data_file
from .data import Data, MeasuredVariant
from .measurements import Measured


@dataclass(frozen=True, slots=True)
class MatrixAnswer:
    """What was measured of a call.

    ``exact``: no attribute that was asked for contradicts ``variants``; otherwise these are the nearest, and
    ``contradicted`` names the attributes that nothing was measured for.
    """

    operator: str
    soc: str
    """The SoC that was measured: the one asked for, or the one that stands for its HTP arch."""
    variants: tuple[MeasuredVariant, ...]
    exact: bool
    contradicted: tuple[str, ...] = ()

    @property
    def measured(self) -> tuple[Measured, ...]:
        return tuple(variant.measured[self.soc] for variant in self.variants if self.soc in variant.measured)

    @property
    def verdict(self) -> str | None:
        """The verdict, where all variants have the same; None where it depends on what was not said."""
        verdicts = {measured.verdict for measured in self.measured}
        return verdicts.pop() if len(verdicts) == 1 else None

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Attributes that the variants differ in, where their verdicts do."""
        if self.verdict is not None:
            return ()
        known = [variant.known for variant in self.variants]
        keys = dict.fromkeys(key for item in known for key in item)
        return tuple(key for key in keys if any(item.get(key) != known[0].get(key) for item in known[1:]))


def column(data: Data, soc: SoC) -> str | None:
    """The measured SoC that speaks for ``soc``: itself, else one of its HTP arch with the same fp16, else None."""
    if soc.part in data.socs:
        return soc.part
    for part, arch in data.socs.items():
        if arch == soc.htp_arch and get_soc(part).fp16 == soc.fp16:
            return part
    return None


def require_column(data: Data, soc: SoC) -> str:
    """Like :func:`column`, with a reason where there is none.

    Raises:
        InputError: nothing that was measured speaks for this SoC.
    """
    part = column(data, soc)
    if part is not None:
        return part
    measured = ", ".join(f"{name} (v{arch})" for name, arch in data.socs.items())
    if soc.fp16 == "no":
        raise InputError(
            f"{soc.title} does not compute in fp16, and only fp16 was measured", remedy=f"choose one of {measured}"
        )
    raise InputError(
        f"no operator was measured on v{soc.htp_arch} as {soc.title} has it",
        remedy=f"choose one of {measured}, or measure it with `aipc ops --probe --soc {soc.part}`",
    )


def operators(data: Data, name: str) -> list[str]:
    """Operators that ``name`` means: a qualified name, its end (``nn.Conv2d``), or a pattern with ``*``.

    Raises:
        InputError: it means none; the remedy names the nearest.
    """
    every = data.operators
    if name in every:
        return [name]
    wanted = name.lower()
    if any(mark in name for mark in "*?["):
        names = [item for item in every if fnmatch.fnmatch(item.lower(), wanted) or _short(item, wanted)]
    else:
        names = [item for item in every if item.lower() == wanted or item.lower().endswith("." + wanted)]
    if names:
        return names
    short = {item.rpartition(".")[2].lower(): item.rpartition(".")[2] for item in every}
    near = difflib.get_close_matches(wanted.rpartition(".")[2], short, 3, 0.6)
    remedy = (
        f"did you mean {', '.join(short[item] for item in near)}?" if near else "`aipc ops` lists what was measured"
    )
    raise InputError(f"{name} was not measured", remedy=remedy)


def _short(item: str, pattern: str) -> bool:
    return fnmatch.fnmatch(item.rpartition(".")[2].lower(), pattern)


def variants(data: Data, names: Sequence[str]) -> list[MeasuredVariant]:
    """All variants of some operators, in the order of the data file."""
    wanted = set(names)
    return [variant for variant in data.variants if wanted & set(variant.operators)]


def lookup(
    operator: str, attributes: Mapping[str, Any] | None = None, soc: str = "sm8650", *, data: Data | None = None
) -> MatrixAnswer | None:
    """What was measured of a call of ``operator`` (its qualified name); None when the operator was not.

    Args:
        attributes: what is known of the call: torch's own parameter names, ``rank`` and ``dtype`` of the first tensor.
            What a variant does not mention does not matter to it.

    Raises:
        UnknownSoCError: there is no such SoC. InputError: nothing measured speaks for it.
    """
    data = data or data_file.load()
    part = require_column(data, get_soc(soc))
    candidates = [item for item in variants(data, [operator]) if part in item.measured]
    if not candidates:
        return None
    query = dict(attributes or {})
    conflicts = {item.id: _conflicts(item.known, query) for item in candidates}
    least = min(len(keys) for keys in conflicts.values())
    chosen = [item for item in candidates if len(conflicts[item.id]) == least]
    # What is said of a special situation in words (values, a broadcast) counts only where nothing else is said.
    plain = [item for item in chosen if not item.label] or chosen
    contradicted = dict.fromkeys(key for item in plain for key in conflicts[item.id])
    return MatrixAnswer(operator, part, tuple(plain), least == 0, tuple(contradicted))


def _conflicts(known: Mapping[str, Any], query: Mapping[str, Any]) -> list[str]:
    return [key for key, value in query.items() if key in known and not _same(known[key], value)]


def _same(one: Any, other: Any) -> bool:
    """Equal, where ``3`` and ``(3, 3)`` are."""
    first, second = _flat(one), _flat(other)
    if len(first) == len(second):
        return first == second
    return len({*map(str, first), *map(str, second)}) == 1


def _flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
