"""What a device reports of itself, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Facts


def device_fact_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """Names and values of what a device reports of itself."""
    npu = "simulated by its x86 computer: its times are host times" if facts.simulated else ""
    yield "system", f"{facts.os}, {facts.machine}{f', {facts.libc}' if facts.libc else ''}"
    chip = facts.soc.upper() or (f"not known here ({', '.join(facts.soc_names)})" if facts.soc_names else "not told")
    yield "SoC", f"{chip}{f', from {facts.soc_source}' if facts.soc_source else ''}"
    if facts.htp_arch is not None:
        vtcm = f", {facts.vtcm_mb} MB of VTCM" if facts.vtcm_mb else ""
        yield "HTP", f"v{facts.htp_arch}{vtcm}"
    if npu:
        yield "NPU", npu
    yield "Python", facts.python or "none"
    yield "QAIRT", facts.qairt or "none"
    yield "libraries", ", ".join(f"{name} {version}" for name, version in facts.packages.items()) or "none"
    if facts.free_bytes is not None:
        yield "free", f"{facts.free_bytes / 1e9:.1f} GB"
    if facts.temperature is not None:
        yield "temperature", f"{facts.temperature:.0f} °C"
    if facts.npu_users:
        yield "NPU in use by", ", ".join(facts.npu_users)
    if facts.lacks:
        yield "lacks", f"{', '.join(facts.lacks)} (--setup brings it)"
