"""What is printed of devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from aipc.core.latency import cpu_latency
from aipc.targets.device_facts_table import device_fact_rows

if TYPE_CHECKING:
    from aipc.engine import ExaminedDevice

_TOP = 5


def examined_page(examined: ExaminedDevice) -> Iterator[Any]:
    """What ``aipc targets TARGET`` prints."""
    description = examined.description
    yield Text(description.title, "bold")
    if description.facts is None:
        yield Text(description.reason, "bold red")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    for name, value in device_fact_rows(description.facts):
        table.add_row(name, Text(value))
    yield table
    for item in examined.mismatches:
        yield Text(f"[{item.axis}] {item.message}: {item.remedy}", "bold red" if item.blocks else "yellow")
    if examined.package:
        fits = not any(item.blocks for item in examined.mismatches)
        yield Text("the package fits" if fits else "the package does not fit", "bold green" if fits else "bold red")


def device_lines(device: Mapping[str, Any] | None) -> Iterator[Text]:
    """What was measured on a device: the slowest nodes, and the warnings of its preflight."""
    for item in (device or {}).get("warnings", ()):
        yield Text(f"[{item['axis']}] {item['message']}: {item['remedy']}", "yellow")
    profile = (device or {}).get("profile")
    if not profile or profile["measured_on"] != "device":
        return
    nodes = sorted(profile["nodes"].items(), key=lambda item: -item[1])
    total = sum(profile["nodes"].values()) or 1
    shares = ", ".join(f"{name} {100 * value / total:.0f} %" for name, value in nodes[:_TOP])
    yield Text(f"slowest nodes: {shares}")


def cpu_latency_text(latency: Mapping[str, Any]) -> str:
    """What the device's CPU takes, after the NPU's latency."""
    return f"; {latency_text}" if (latency_text := cpu_latency(latency)) else ""


def no_latency(target: str, device: Mapping[str, Any] | None) -> str:
    """Why there is no latency."""
    facts = (device or {}).get("facts") or {}
    if target != "simulator" and facts.get("simulated"):
        return f"not measured ({target} simulates the NPU; its times are host times)"
    return "not measured (no device)"
