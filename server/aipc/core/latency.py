"""A measured latency, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def cpu_latency(latency: Mapping[str, Any]) -> str:
    """The uncompiled model's latency on the device's CPU beside the NPU's, in words; "" where nobody measured it."""
    cpu = latency.get("cpu")
    if not cpu:
        return ""
    if "p50_ms" not in cpu:
        return f"on the CPU not measured: {cpu['why']}"
    cores = f", {cpu['cores']} cores" if cpu.get("cores") else ""
    return (
        f"on the CPU p50 {cpu['p50_ms']:.2f} ms ({cpu['repetitions']} runs{cores}), "
        f"{cpu['p50_ms'] / latency['p50_ms']:.1f} times as long"
    )
