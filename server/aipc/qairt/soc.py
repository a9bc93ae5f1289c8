"""The SoCs that QAIRT compiles for. Light: reads a data file, asks nothing.

``socs.json`` was filled by asking QAIRT itself about every ``soc_model`` number; it names its source and version.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from aipc.core.errors import UnknownSoCError


@dataclass(frozen=True, slots=True)
class SoC:
    """One chip.

    ``soc_id`` is QNN's ``soc_model``; ``htp_arch`` the Hexagon version (75 is v75); ``vtcm_mb`` the tightly coupled
    memory in MiB, None where QNN's log does not say. ``fp16`` tells whether the NPU computes in fp16 at all.
    """

    part: str
    marketing: str
    soc_id: int
    htp_arch: int
    vtcm_mb: int | None
    fp16: Literal["yes", "partial", "no"]
    aliases: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.part.upper()} ({self.marketing})" if self.marketing else self.part.upper()


@lru_cache(maxsize=1)
def all_socs() -> tuple[SoC, ...]:
    """Every SoC, the newest arch first."""
    data = json.loads(Path(__file__).with_name("socs.json").read_text("utf-8"))
    socs = [SoC(**{**row, "aliases": tuple(row["aliases"])}) for row in data["socs"]]
    return tuple(sorted(socs, key=lambda soc: (-soc.htp_arch, soc.part)))


def float_soc(soc: SoC) -> SoC:
    """Where a float graph is judged and its rewrites are proved for ``soc``: itself, if its NPU computes in fp16.

    Otherwise the SoC with fp16 whose architecture is nearest: the same operators, the same compiler, in a form that it
    can run. What the quantized graph does on ``soc`` itself is asked after quantizing.
    """
    if soc.fp16 == "yes":
        return soc
    others = [item for item in all_socs() if item.fp16 == "yes"]
    return min(others, key=lambda item: (abs(item.htp_arch - soc.htp_arch), item.part))


def _normal(name: str) -> str:
    return re.sub(r"[^a-z0-9+]+", "-", name.strip().lower()).strip("-")


@lru_cache(maxsize=1)
def _by_name() -> dict[str, SoC]:
    names: dict[str, SoC] = {}
    for soc in all_socs():
        for name in (soc.part, soc.marketing, str(soc.soc_id), *soc.aliases):
            if name:
                names.setdefault(_normal(name), soc)
    return names


def get_soc(name: str) -> SoC:
    """Find a SoC by part number (``sm8650``), marketing name, alias (``x-elite``) or QNN's number (``57``).

    Raises:
        UnknownSoCError: QAIRT knows no such SoC; the remedy names the nearest.
    """
    names = _by_name()
    if soc := names.get(_normal(name)):
        return soc
    near = difflib.get_close_matches(_normal(name), names, 3, 0.5)
    remedy = f"did you mean {', '.join(near)}? " if near else ""
    raise UnknownSoCError(
        f"{name!r} is not a SoC that QAIRT compiles for", remedy=f"{remedy}`aipc targets` lists all of them"
    )
