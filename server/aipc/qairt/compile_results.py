"""What the jobs of this package return: frozen, picklable and light (no heavy import), so any process can
read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
