"""What the capture jobs return: light, so that any process can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aipc.core.types import Finding, TensorSpec


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """What capture wrote into its directory: model.onnx, source_map.json, inputs.npz, reference.npz."""

    ok: bool
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    nodes: int
    findings: tuple[Finding, ...]
    files: Mapping[str, str]
    """Path -> SHA-256 of every file of the author's that was read."""
    provenance: str
    """Where the example inputs come from."""
    strategy: str
    timings: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    """PyTorch's own words where ``ok`` is False."""
    state: Mapping[str, str] = field(default_factory=dict)
    """Input -> the output that the next run takes for it, of what ``forward`` keeps between its calls."""
    own_bits: tuple[int, int] | None = None
    """Of a model with scales of its own for its activations: bits of its weights and of its activations."""
    lowered: tuple[str, ...] = ()
    """Nodes that PyTorch computes in float64 and the graph in float32."""


@dataclass(frozen=True, slots=True)
class InferredInputs:
    shapes: Mapping[str, str]
    provenance: str
