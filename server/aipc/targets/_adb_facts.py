"""What a phone says of itself: chip, system, space, clock, temperature. Only read."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace

from aipc.core.errors import UnknownSoCError
from aipc.qairt.soc import SoC, get_soc

from ._adb_files import free_bytes
from ._adb_link import Link
from .base import DeviceError, Facts

_CHIP = ("ro.soc.model", "ro.vendor.soc.model.part_name", "ro.vendor.soc.model.external_name")
"""Properties in which phones name their chip by its part number, the most reliable first."""
_OTHERS = (
    "ro.soc.manufacturer",
    "ro.board.platform",
    "ro.product.model",
    "ro.product.cpu.abi",
    "ro.build.version.release",
    "ro.build.fingerprint",
)
_TEMPERATURES = "date +%s; cat /sys/class/thermal/thermal_zone*/temp 2>/dev/null; true"


def read_facts(link: Link, place: str, configured: str) -> tuple[Facts, SoC]:
    """The facts, and the phone's chip.

    Args:
        configured: the chip that the user's configuration gives this phone, "" when it gives none.

    Raises:
        DeviceError: QAIRT does not know the chip that the phone names.
    """
    properties = link.properties((*_CHIP, *_OTHERS))
    names = tuple(dict.fromkeys(properties[name] for name in _CHIP if properties.get(name)))
    soc = get_soc(configured) if configured else _soc(names, properties)
    source = "the configuration" if configured else next(name for name in _CHIP if properties.get(name))
    before = time.time()
    lines = link.must("reading clock and temperature", _TEMPERATURES).split()
    after = time.time()
    model = properties.get("ro.product.model", "")
    facts = Facts(
        system="android",
        machine=properties.get("ro.product.cpu.abi", ""),
        os=f"Android {properties.get('ro.build.version.release', '')}".strip(),
        soc=soc.part,
        soc_names=names,
        soc_source=source,
        htp_arch=soc.htp_arch,
        vtcm_mb=soc.vtcm_mb,
        free_bytes=free_bytes(link, place),
        clock_skew=_skew(lines[:1], before, after),
        temperature=_hottest(lines[1:]),
        extra={
            "model": model,
            "platform": properties.get("ro.board.platform", ""),
            "build": properties.get("ro.build.fingerprint", ""),
            "settled": ("qairt",),
        },
    )
    return facts, soc


def free_of(facts: Facts, *, qairt: str, lacks: tuple[str, ...]) -> Facts:
    return replace(facts, qairt=qairt, lacks=lacks)


def _soc(names: Sequence[str], properties: dict[str, str]) -> SoC:
    for name in names:
        # Variants of a chip are the chip: SM8750-AC, SM8550P, SM8650-AB.
        for candidate in (name, re.sub(r"(-[A-Z]{2}|(?<=\d)P)$", "", name.strip())):
            try:
                return get_soc(candidate)
            except UnknownSoCError:
                continue
    maker, platform = properties.get("ro.soc.manufacturer", ""), properties.get("ro.board.platform", "")
    called = " or ".join(names) or platform or "nothing"
    by = f" of {maker}" if maker else ""
    raise DeviceError(
        f"the phone calls its chip {called}{by}, which QAIRT does not name",
        remedy='if it is a Snapdragon, give its part number: soc = "sm8650" in [tool.aipc.targets."adb:SERIAL"]',
    )


def _skew(fields: Sequence[str], before: float, after: float) -> float | None:
    """Seconds that the phone's clock is ahead; its answer came between ``before`` and ``after``, in whole seconds."""
    if not fields or not fields[0].isdigit():
        return None
    theirs = int(fields[0])
    if before - 1 <= theirs <= after:
        return 0.0
    return round(theirs - (before + after) / 2, 1)


def _hottest(fields: Sequence[str]) -> float | None:
    """Degrees Celsius of the hottest zone. Zones count in thousandths of a degree; what cannot be one is left out."""
    degrees = [int(word) / 1000 for word in fields if re.fullmatch(r"-?\d+", word)]
    plausible = [value for value in degrees if 0 < value < 130]
    return max(plausible, default=None)
