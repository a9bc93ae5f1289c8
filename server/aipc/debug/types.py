"""What a search for wrong nodes finds: frozen, and light, so that any process can read it."""

from __future__ import annotations

from dataclasses import dataclass

from aipc.numerics.types import NodeNumerics, Verdict


@dataclass(frozen=True, slots=True)
class FirstDivergence:
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
    divergence: FirstDivergence | None
    seconds: float
    sessions: int
    """How many simulator sessions were needed."""

    def wrong(self) -> tuple[NodeNumerics, ...]:
        return tuple(node for node in self.nodes if node.verdict is Verdict.WRONG)


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
