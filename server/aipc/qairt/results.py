"""What the jobs of this package return: frozen, picklable and light (no heavy import), so any process can
read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from aipc.numerics.types import NodeNumerics, Verdict


@dataclass(frozen=True, slots=True)
class MemoryTraffic:
    """What the compiler itself plans to move, from its log. Bytes for one inference; None where the log is
    silent.

    The figures are the compiler's plan, not a measurement on a device.
    """

    spill_bytes: int | None = None
    fill_bytes: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    spill_fill_buffer_bytes: int | None = None
    const_bytes: int | None = None
    graph_io_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled model: an EPContext ONNX file with its context binaries beside it."""

    model: str
    """Path of the EPContext model."""
    binaries: tuple[str, ...]
    """Paths of the context binaries, one for each NPU partition."""
    sizes: Mapping[str, int]
    """File name -> bytes, for the model and every binary."""
    sha256: Mapping[str, str]
    soc: str
    htp_arch: int
    soc_id: int
    qairt: str
    """The SDK version that the binary itself declares."""
    compatibility: tuple[str, ...]
    """The compatibility string of each context, such as ``v2:6:2.51.0:5.51.0:75:57:0:0``."""
    npu_partitions: int
    cpu_nodes: tuple[str, ...]
    """Names of the nodes left to the CPU, in graph order."""
    seconds: float
    """Wall time of the compiler on this machine."""
    traffic: MemoryTraffic = field(default_factory=MemoryTraffic)
    log: str | None = None


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """One execution of a package in the HTP simulator. The seconds are the host's: never a device latency."""

    outputs: tuple[str, ...]
    out_npz: str
    host_load_seconds: float
    host_run_seconds: float


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the whole graph first leaves fp32 on the simulator, found by tapping a few tensors at a time."""

    node: str
    """The first node whose output is out of tolerance, as far as the search could narrow it."""
    tensor: str
    sqnr_db: float
    ideal_fp16_sqnr_db: float
    last_good: str
    """The node before it that was still in tolerance; empty when none was."""
    candidates: tuple[str, ...]
    """All nodes between the two: more than one where tensors cannot be tapped without changing the result."""


@dataclass(frozen=True, slots=True)
class Localization:
    nodes: tuple[NodeNumerics, ...]
    """Every node of the graph, in graph order."""
    divergence: Divergence | None
    seconds: float
    sessions: int
    """How many simulator sessions were needed."""

    def wrong(self) -> tuple[NodeNumerics, ...]:
        return tuple(node for node in self.nodes if node.verdict is Verdict.WRONG)


class Outcome(str, Enum):
    """What a candidate sub-graph did. ``UNKNOWN``: it could not be tried (does not load, or fails in
    another way).
    """

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reduction:
    """The smallest sub-graph found that still fails, as a runnable ONNX file with its inputs."""

    model: str
    inputs_npz: str
    nodes: tuple[str, ...]
    original_nodes: int
    tried: int
    minimal: bool
    """False when the search ran out of time before it could try every smaller sub-graph."""
