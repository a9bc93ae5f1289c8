"""What the jobs of this package return: frozen, picklable and light (no heavy import), so any process can
read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from aipc.core.accuracy import NodeAccuracy, NodeError
from aipc.core.types import OutputAccuracy


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


class Verdict(str, Enum):
    """How a node's own numbers on the simulator compare, given its true inputs.

    ``OK``: as near to fp32 as fp16 lets it be, and near enough. ``ROUNDING``: far from fp32, and a
    correctly rounded fp16 execution is too (or the true values lie outside fp16's range). ``WRONG``:
    farther than rounding explains. ``CPU``: not on the NPU. ``UNKNOWN``: could not be measured; ``detail``
    says why.
    """

    OK = "ok"
    ROUNDING = "rounding"
    WRONG = "wrong"
    CPU = "cpu"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NodeNumerics:
    """One node's own error on the simulator, given its true fp32 inputs; decibels against fp32."""

    node: str
    op_type: str
    verdict: Verdict
    sqnr_db: float | None = None
    ideal_fp16_sqnr_db: float | None = None
    max_abs: float | None = None
    output: str = ""
    """The node's output tensor that is worst."""
    worst_index: tuple[int, ...] = ()
    """Where ``output`` differs most, with ``expected`` (fp32) and ``actual`` (simulator) there."""
    expected: float | None = None
    actual: float | None = None
    wrong_elements: int = 0
    elements: int = 0
    saturated: int = 0
    """Elements whose true value is finite but outside the range of fp16 on the HTP (131008)."""
    measured_on: str = ""
    """The node that was run for this verdict: itself, or one with the same operator, attributes, shapes
    and constants.
    """
    detail: str = ""


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


__all__ = [
    "Compiled",
    "Divergence",
    "Localization",
    "MemoryTraffic",
    "NodeAccuracy",
    "NodeError",
    "NodeNumerics",
    "Outcome",
    "OutputAccuracy",
    "Reduction",
    "SimulatedRun",
    "Verdict",
]
