"""What the stages make: one frozen type each, kept in a directory of the cache.

The driver writes an artifact's fields beside its files and reads them back; ``directory`` and ``key`` are not among
these: they say where the artifact is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from aipc.capture.capture_result import CaptureResult
from aipc.core import plain_data
from aipc.core.provenance import Provenance
from aipc.core.types import OutputAccuracy, PlacementReport, SourceMap
from aipc.probes.examination import Divergence, Examined, PackageProbe
from aipc.qairt.compile_results import Compiled
from aipc.quantize.quantization_results import CalibrationSet, Quantized, Statistics, TaskMetric
from aipc.rewrites.proofs import Rewritten
from aipc.targets import TargetRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The result of one stage. ``directory`` holds its files; ``key`` changes with everything that it depends on."""

    directory: Path = Path()
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphArtifact(Artifact):
    """An artifact with an ONNX graph. ``digest`` is of the graph's content, and of its inputs where it has some."""

    digest: str

    @property
    def graph(self) -> Path:
        return self.directory / "model.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedGraph(GraphArtifact):
    """The model as ONNX with example inputs, PyTorch's outputs for these, and a source map; or why there is none."""

    result: CaptureResult

    @property
    def inputs(self) -> Path:
        return self.directory / "inputs.npz"

    @property
    def reference(self) -> Path:
        """PyTorch's outputs for ``inputs``."""
        return self.directory / "reference.npz"

    @property
    def source_map_file(self) -> Path:
        return self.directory / "source_map.json"

    @property
    def has_graph(self) -> bool:
        return self.graph.is_file()

    @property
    def source_map(self) -> SourceMap:
        return read_source_map(self.source_map_file)


@lru_cache(maxsize=4)
def _read_source_map(path: Path, modified_ns: int) -> SourceMap:
    return plain_data.loads(path.read_text("utf-8"), SourceMap)


def read_source_map(path: Path) -> SourceMap:
    return _read_source_map(path, path.stat().st_mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureVerification(Artifact):
    """The captured graph in fp32 against PyTorch in fp32, on the example."""

    outputs: tuple[OutputAccuracy, ...]
    divergence: Divergence | None = None
    """Where and why they differ; None where they do not, or nothing could be said of it."""
    unexplained: str = ""
    """Why nothing could be said of a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswers(Artifact):
    """What PyTorch and the captured graph give on probes; ``examined`` is None where none were asked for."""

    examined: Examined | None = None

    def inputs(self, probe: str) -> Path:
        return self.directory / f"{probe}.npz"

    def reference(self, probe: str) -> Path:
        return self.directory / f"{probe}.reference.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPlacement(Artifact):
    """Where QAIRT runs every node of the captured graph."""

    report: PlacementReport

    @property
    def log(self) -> Path:
        return self.directory / "qnn.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrittenGraph(GraphArtifact):
    """The captured graph with rules applied, each proved. It has a graph only where ``changed``."""

    result: Rewritten

    @property
    def changed(self) -> bool:
        return self.result.changed

    @property
    def provenance(self) -> Provenance:
        """Back to captured nodes."""
        return Provenance(self.result.derived if self.changed else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationData(Artifact):
    """What every float tensor held on the samples; ``data`` is None where nothing is calibrated.

    The directories in ``data`` and ``statistics`` are empty: theirs are in this one.
    """

    data: CalibrationSet | None = None
    statistics: Statistics | None = None
    files: Mapping[str, str] | None = None
    """Path -> SHA-256 of what the author's loader read; None where the key alone decides."""

    @property
    def statistics_directory(self) -> Path:
        return self.directory / "statistics"

    @property
    def held_out(self) -> tuple[Path, ...]:
        """Samples that did not calibrate."""
        files = (self.directory / "held-out").glob("[0-9]*.npz")
        return tuple(sorted(path for path in files if path.suffixes == [".npz"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedGraph(GraphArtifact):
    """The float graph in integers, and where QAIRT runs its nodes; both None where nothing is quantized."""

    digest: str = ""
    result: Quantized | None = None
    placement: PlacementReport | None = None
    islands: tuple[str, ...] = ()
    """Nodes of the float graph that QAIRT refuses in integers and that were left in fp16."""

    @property
    def changed(self) -> bool:
        return self.result is not None

    @property
    def provenance(self) -> Provenance:
        """Back to nodes of the float graph."""
        return Provenance(self.result.derived if self.result else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledGraph(Artifact):
    """Context binaries and their EPContext model. ``result`` and ``files`` name files of ``directory``."""

    result: Compiled
    files: tuple[str, ...]

    @property
    def model(self) -> Path:
        return self.directory / self.result.model

    @property
    def bytes(self) -> int:
        return sum(self.result.sizes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPackage(Artifact):
    """The package as it was written. ``files``: how many it has."""

    files: int

    @property
    def package(self) -> Path:
        return self.directory / "package"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetExecution(Artifact):
    """The package's outputs on its target, one file for each sample that it is judged on and for each probe."""

    result: TargetRun

    def outputs(self, sample: int) -> Path:
        """Args: sample: its number among those that the package is judged on."""
        return self.directory / output_name(sample)

    def probe_outputs(self, probe: str) -> Path:
        """There is no file for a probe that was not run."""
        return self.directory / probe_output_name(probe)


def output_name(sample: int) -> str:
    return f"outputs.{sample:04d}.npz" if sample else "outputs.npz"


def probe_output_name(probe: str) -> str:
    return f"probe.{probe}.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Artifact):
    """The package on its target against PyTorch in fp32."""

    outputs: tuple[OutputAccuracy, ...]
    slices: tuple[OutputAccuracy, ...] = ()
    metric: TaskMetric | None = None
    rewritten_probes: Mapping[str, tuple[OutputAccuracy, ...]] = field(default_factory=dict)
    """Probe -> the rewritten graph's outputs in fp32; empty where nothing was rewritten."""
    package_probes: tuple[PackageProbe, ...] = ()
