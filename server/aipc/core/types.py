"""The data types that every part of AIPC exchanges.

They are frozen and plain: no behaviour beyond small derived properties, no heavy imports. The same
types cross the worker boundary (pickled), are cached on disk (JSON) and are printed by ``--json``.
Lines are 1-based; columns are 0-based and count Unicode code points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .accuracy import NodeAccuracy
from .frontier import Frontier
from .probes import ProbeResult


class Placement(str, Enum):
    """Where QAIRT runs a node."""

    NPU = "npu"
    CPU = "cpu"
    FAILS = "fails"


class Severity(str, Enum):
    """How much a finding matters to the author.

    ``ERROR``: the model does not run on this SoC as it is. ``WARNING``: it runs, but wrongly or with
    nodes on the CPU. ``INFORMATION``: deploy rewrites it by itself, exactly.
    """

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Position:
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Range:
    """Source text up to ``end``, exclusive. A whole line has ``end.column`` past its last character."""

    file: str
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Frame:
    """One Python frame that took part in creating a node."""

    range: Range
    function: str
    library: bool
    """True for code that is installed (site-packages, the standard library), False for the author's."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One expression that made a node: its frames, innermost first, and the module instance it ran in."""

    frames: tuple[Frame, ...]
    module_path: str = ""
    """Dotted path of the ``nn.Module`` instance, for example ``model.0.conv``; empty for the root."""

    @property
    def user_frame(self) -> Frame | None:
        """The innermost frame of the author's own code: where a finding is shown."""
        return next((frame for frame in self.frames if not frame.library), None)


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Which expressions made each ONNX node. A merged (fused, folded) node has all of its origins."""

    nodes: Mapping[str, tuple[Origin, ...]] = field(default_factory=dict)

    def origins(self, node: str) -> tuple[Origin, ...]:
        return self.nodes.get(node, ())


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, ONNX dtype name (``float32``, ``int64`` ...) and static shape of a model input or output."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodePlacement:
    node: str
    op_type: str
    placement: Placement
    reason: str | None = None
    """QAIRT's own words for a node that is not on the NPU."""
    qnn_ops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """A node on the CPU that splits the NPU part of the graph."""

    node: str
    bytes_crossing: int


@dataclass(frozen=True, slots=True)
class PlacementReport:
    """What QAIRT says about every node of a graph for one SoC. ``nodes`` is in graph order and complete."""

    soc: str
    htp_arch: int
    precision: str
    qairt: str
    nodes: tuple[NodePlacement, ...]
    npu_partitions: int
    cuts: tuple[Cut, ...] = ()
    finalized: bool = False
    """True when the whole NPU part was also finalized (fully compiled), not only validated."""
    log: str | None = None
    """Path of the native QNN log."""

    def count(self, placement: Placement) -> int:
        return sum(node.placement is placement for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Related:
    message: str
    range: Range


@dataclass(frozen=True, slots=True)
class Fix:
    """A way out of a finding. ``proved`` only when compiler and simulator confirmed it for this model.

    ``edits`` change the author's source; without them it is what deploy does by itself. ``proof`` says in words what
    was proved, and ``evidence`` has its figures.
    """

    title: str
    rule: str
    proved: bool = False
    edits: tuple[tuple[Range, str], ...] = ()
    proof: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact worth telling the author, at a source range.

    ``message`` speaks in the author's terms; ``compiler`` carries the compiler's own words.
    ``range`` is None only when no Python source exists (an ONNX file).
    """

    rule: str
    severity: Severity
    message: str
    range: Range | None
    compiler: str | None = None
    related: tuple[Related, ...] = ()
    nodes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputAccuracy:
    """Distance of one output to PyTorch fp32; ``ideal_fp16_sqnr_db`` is a rounded fp16 run's."""

    name: str
    cosine: float
    sqnr_db: float
    max_abs: float
    max_rel: float
    nan: int = 0
    inf: int = 0
    ideal_fp16_sqnr_db: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """The check a stage must pass. ``value`` is None when nothing could be measured."""

    metric: str
    value: float | None
    threshold: float
    ok: bool
    detail: str = ""
    nodes: tuple[str, ...] = ()
    accepted: bool = False
    """It was missed, and the user took what was reached: ``threshold`` is that, ``detail`` says what was missed."""


@dataclass(frozen=True, slots=True)
class StageRecord:
    name: str
    seconds: float
    cached: bool
    gate: Gate | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    model: str
    soc: str
    precision: str
    qairt: str
    nodes: int
    placement: Mapping[str, int]
    findings: tuple[Finding, ...]
    timings: Mapping[str, float]
    partitions: int = 0
    graph: str | None = None
    """Path of the captured ONNX graph; None when capture failed."""
    source_map: str | None = None
    node_placements: tuple[NodePlacement, ...] = ()
    accuracy: NodeAccuracy | None = None
    """Every node's error, when it was asked for."""
    ignored: int = 0
    """Findings that a comment ``# aipc: ignore[rule]`` hides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyRecord:
    """What came of one remedy that a deployment tried by itself."""

    name: str
    stage: str
    """The stage that had failed."""
    failure: str
    """The gate that was not passed, or the error, in a clause."""
    measure: str
    """What was changed by the attempt that was kept; empty where none was."""
    attempts: int
    helped: bool
    """One of the attempts came nearer and was gone on with; otherwise all of them were left out again."""
    seconds: float


@dataclass(frozen=True, slots=True)
class DeployReport:
    model: str
    soc: str
    precision: str
    target: str
    ok: bool
    stages: tuple[StageRecord, ...]
    package: str | None
    placement: Mapping[str, int] | None
    accuracy: Mapping[str, tuple[OutputAccuracy, ...]] | None
    latency: Mapping[str, Any] | None
    timings: Mapping[str, float]
    findings: tuple[Finding, ...] = ()
    capsule: str | None = None
    run: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    """For a model with buckets: one package for each combination of sizes, by its name (``length-128``)."""
    frontier: Frontier | None = None
    """What a search over precisions tried; None when the precision was given and passed."""
    node_accuracy: NodeAccuracy | None = None
    """Every node's error in a quantized package, by the captured graph's nodes."""
    metric: Mapping[str, float] | None = None
    """The task metric over the held-out data, by name; None without one."""
    probes: tuple[ProbeResult, ...] = ()
    """Input sets beside the example that the model was judged on, with the result of each."""
    agent: str | None = None
    """Trace of the agent's run, where it took part."""
    device: Mapping[str, Any] | None = None
    """Where it ran and what was measured there (``targets.TargetRun`` as plain data); None before the run."""
    remedies: tuple[RemedyRecord, ...] = ()
    """What the deployment tried by itself where a stage failed, in order."""
    compiled: Mapping[str, int] | None = None
    """``bytes`` of the context binaries; where the compiler planned them, ``read_bytes``, ``write_bytes`` and
    ``spill_bytes`` of DDR for one inference. None before compiling."""


@dataclass(frozen=True, slots=True)
class Event:
    """Progress of a job. ``fraction`` is None when unknown."""

    stage: str
    message: str
    fraction: float | None = None
