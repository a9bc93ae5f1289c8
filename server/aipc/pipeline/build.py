"""One variant of a request, as far as it is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from aipc.core.provenance import Provenance
from aipc.core.types import PlacementReport, StageRecord
from aipc.quantize.plan import QuantizationPlan

from .artifacts import (
    Artifact,
    CalibrationData,
    CapturedGraph,
    GraphArtifact,
    GraphPlacement,
    QuantizedGraph,
    RewrittenGraph,
    TargetExecution,
)
from .request import Request
from .variant import Variant

A = TypeVar("A", bound=Artifact)


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Artifacts by their type. A stage sees those that it declares, and no others."""

    _items: Mapping[type[Artifact], Artifact] = field(default_factory=dict)
    _visible: frozenset[type[Artifact]] | None = None

    def __getitem__(self, kind: type[A]) -> A:
        """Raises LookupError: there is none, or the stage that asks does not declare it."""
        artifact = self.get(kind)
        if artifact is None:
            raise LookupError(f"there is no {kind.__name__} yet")
        return artifact

    def get(self, kind: type[A]) -> A | None:
        """Raises LookupError: the stage that asks does not declare it."""
        if self._visible is not None and kind not in self._visible:
            raise LookupError(f"the stage reads {kind.__name__}, which is not among what it needs")
        artifact = self._items.get(kind)
        assert artifact is None or isinstance(artifact, kind)
        return artifact

    def __contains__(self, kind: type[Artifact]) -> bool:
        return self.get(kind) is not None

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self._items.values())

    def added(self, artifact: Artifact) -> Artifacts:
        """These and one more."""
        return Artifacts({**self._items, type(artifact): artifact})

    def limited(self, kinds: tuple[type[Artifact], ...]) -> Artifacts:
        """The same, where reading anything but ``kinds`` is an error."""
        return replace(self, _visible=frozenset(kinds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What keys, gates, findings and reports are derived from: the request, the variant, and what stages made."""

    request: Request
    variant: Variant = field(default_factory=Variant)
    artifacts: Artifacts = field(default_factory=Artifacts)
    records: tuple[StageRecord, ...] = ()
    """Of the stages so far, in their order."""

    @property
    def plan(self) -> QuantizationPlan | None:
        """How the graph is quantized; None leaves it in float."""
        return self.variant.plan

    @property
    def precision(self) -> str:
        """What the package's precision is called."""
        return self.variant.precision

    @property
    def seconds(self) -> float:
        """What the stages so far took, those from the cache of earlier runs left out."""
        return sum(record.seconds for record in self.records if not record.cached)

    @property
    def captured(self) -> CapturedGraph:
        return self.artifacts[CapturedGraph]

    @property
    def rewritten(self) -> RewrittenGraph | None:
        """None where nothing was rewritten."""
        artifact = self.artifacts.get(RewrittenGraph)
        return artifact if artifact is not None and artifact.changed else None

    @property
    def quantized(self) -> QuantizedGraph | None:
        """None where nothing was quantized."""
        artifact = self.artifacts.get(QuantizedGraph)
        return artifact if artifact is not None and artifact.changed else None

    @property
    def calibration(self) -> CalibrationData | None:
        """None where nothing was calibrated."""
        artifact = self.artifacts.get(CalibrationData)
        return artifact if artifact is not None and artifact.data is not None else None

    @property
    def float_graph(self) -> GraphArtifact:
        """What is quantized: the rewritten graph where there is one, else the captured one."""
        return self.rewritten or self.captured

    @property
    def deployed_graph(self) -> GraphArtifact:
        """The graph that is deployed: quantized where it was, else rewritten, else as captured."""
        return self.quantized or self.float_graph

    @property
    def float_provenance(self) -> Provenance:
        """Of the float graph, back to captured nodes."""
        return self.rewritten.provenance if self.rewritten else Provenance()

    @property
    def provenance(self) -> Provenance:
        """Of the graph that is deployed, back to captured nodes."""
        return self.float_provenance.then(self.quantized.provenance if self.quantized else Provenance())

    @property
    def deployed_placement(self) -> PlacementReport | None:
        """Of the graph that is deployed; None where nothing was placed yet."""
        if self.quantized is not None:
            return self.quantized.placement
        rewritten = self.artifacts.get(RewrittenGraph)
        if rewritten is not None and rewritten.result.placement is not None:
            return rewritten.result.placement
        placed = self.artifacts.get(GraphPlacement)
        return placed.report if placed else None

    @property
    def calibrates(self) -> bool:
        """Whether calibration data is read, and the package judged on what is held out of it."""
        return self.plan is not None or self.variant.held_out

    @property
    def held_out(self) -> tuple[Path, ...]:
        """Samples that the package is judged on; without calibration the example inputs alone."""
        return self.calibration.held_out if self.calibration else (self.captured.inputs,)

    @property
    def references(self) -> tuple[Path, ...]:
        """PyTorch's outputs for every one of ``held_out``."""
        if self.calibration is None:
            return (self.captured.reference,)
        return tuple(path.with_suffix(".reference.npz") for path in self.calibration.held_out)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """What the package gave for every one of ``held_out``, in their order."""
        execution = self.artifacts[TargetExecution]
        return tuple(execution.outputs(number) for number in range(len(self.held_out)))
