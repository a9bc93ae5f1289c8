"""Probes: the input sets beside the example that a model and its package are judged on, and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class ProbeStatus(str, Enum):
    """What a probe says.

    ``PASSED``: PyTorch's answer, as near as the gates ask. ``FAILED``: another answer. ``LIMIT``: an extreme input on
    which even a correctly rounded run in the package's precision misses the gate: information. ``LEFT_OUT``: nothing
    could be judged; ``reason`` says why.
    """

    PASSED = "passed"
    FAILED = "failed"
    LIMIT = "limit"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """One probe, with its figures in dB of SQNR against PyTorch in fp32, each of the worst output.

    ``title`` says what the input is, such as "a row of `mask` that is all False". ``kind`` is the name of what made it,
    or ``sample`` for the user's own data.
    """

    name: str
    title: str
    kind: str
    status: ProbeStatus
    inputs: tuple[str, ...] = ()
    """The graph inputs that differ from the example; empty where all do."""
    graph_sqnr_db: float | None = None
    """Of the captured graph in fp32."""
    package_sqnr_db: float | None = None
    """Of the package on its target; None where it was not run there."""
    ideal_fp16_sqnr_db: float | None = None
    """Of a correctly rounded fp16 run, where the package missed the fixed threshold."""
    threshold_db: float | None = None
    """What ``package_sqnr_db``, or else ``graph_sqnr_db``, had to reach."""
    output: str = ""
    """The output that is worst."""
    reason: str = ""
    nodes: tuple[str, ...] = ()
    """Captured nodes at which a failed probe leaves PyTorch."""
    evidence: Mapping[str, Any] = field(default_factory=dict)


def summary(results: tuple[ProbeResult, ...]) -> str:
    """One line: how many probes there are, where they ran, and how they ended."""
    judged = [item for item in results if item.status is not ProbeStatus.LEFT_OUT]
    ran = sum(item.package_sqnr_db is not None for item in judged)
    counts = {status: sum(item.status is status for item in results) for status in ProbeStatus}
    parts = [f"{len(judged)} probe{'s' * (len(judged) != 1)} in fp32", f"{ran} on the target"]
    if counts[ProbeStatus.FAILED]:
        parts.append(f"{counts[ProbeStatus.FAILED]} FAILED")
    if counts[ProbeStatus.LIMIT]:
        parts.append(f"{counts[ProbeStatus.LIMIT]} beyond fp16 as such")
    if counts[ProbeStatus.LEFT_OUT]:
        parts.append(f"{counts[ProbeStatus.LEFT_OUT]} left out")
    return ", ".join(parts)
