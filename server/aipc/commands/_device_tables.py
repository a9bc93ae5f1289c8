"""What is printed of devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from aipc.engine import Examined
    from aipc.targets import Facts

_TOP = 5


def examined_page(examined: Examined) -> Iterator[Any]:
    """What ``aipc targets TARGET`` prints."""
    found = examined.description
    yield Text(found.title, "bold")
    if found.facts is None:
        yield Text(found.reason, "bold red")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    for name, value in fact_rows(found.facts):
        table.add_row(name, Text(value))
    yield table
    for item in examined.mismatches:
        yield Text(f"[{item.axis}] {item.message}: {item.remedy}", "bold red" if item.blocks else "yellow")
    if examined.package:
        fits = not any(item.blocks for item in examined.mismatches)
        yield Text("the package fits" if fits else "the package does not fit", "bold green" if fits else "bold red")


def fact_rows(facts: Facts) -> Iterator[tuple[str, str]]:
    """Name and value of what a device says of itself."""
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


def device_lines(device: Mapping[str, Any] | None) -> Iterator[Text]:
    """What was measured on a device: the slowest nodes, and the warnings of its preflight."""
    for item in (device or {}).get("warnings", ()):
        yield Text(f"[{item['axis']}] {item['message']}: {item['remedy']}", "yellow")
    profile = (device or {}).get("profile")
    if not profile or profile["measured_on"] != "device":
        return
    nodes = sorted(profile["nodes"].items(), key=lambda item: -item[1])
    total = sum(profile["nodes"].values()) or 1
    words = ", ".join(f"{name} {100 * value / total:.0f} %" for name, value in nodes[:_TOP])
    yield Text(f"slowest nodes: {words}")


def no_latency(target: str, device: Mapping[str, Any] | None) -> str:
    """Why there is no latency."""
    facts = (device or {}).get("facts") or {}
    if target != "simulator" and facts.get("simulated"):
        return f"not measured ({target} simulates the NPU; its times are host times)"
    return "not measured (no device)"
