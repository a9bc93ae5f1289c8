"""What the quantization jobs return: frozen, picklable and light, so that any process can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """Calibration data as the graph takes it, written to disk: ``calibration/0000.npz`` …, ``held-out/0000.npz`` ….

    Each file holds one array for each graph input. ``held-out/0000.reference.npz`` beside a held-out sample has
    PyTorch's fp32 outputs for it; no held-out sample was used for the ranges.
    """

    directory: str
    digest: str
    """Of the calibration samples' content."""
    source: str
    """What the author named, or ``random``."""
    samples: int
    held_out: int
    preprocessing: str
    """In a sentence: what was done to the data."""
    seed: int
    random: bool = False
    warnings: tuple[str, ...] = ()
    """What is odd about the data, for people: constant samples, saturated images …"""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that the author's loader read (path -> SHA-256)."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What calibration saw of every float tensor of a graph; the figures are in ``directory``/statistics.npz."""

    directory: str
    digest: str
    """Of graph and calibration data."""
    tensors: int
    samples: int
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TensorEncoding:
    """The integers of one tensor: real = (integer - zero_point) * scale."""

    name: str
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class Quantized:
    """A quantized graph: ``model.onnx`` in the directory it was asked for."""

    model: str
    digest: str
    """Of the graph's content."""
    counts: Mapping[str, int]
    """``quantized``, ``float`` and ``total`` nodes of the float graph; ``qdq`` pairs of Q and DQ."""
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every node of the quantized graph -> the float graph's nodes that it stands for."""
    encodings: Mapping[str, TensorEncoding] = field(default_factory=dict)
    """Activations of the float graph by name -> how they are stored."""
    integer_io: tuple[str, ...] = ()
    """Inputs and outputs of the graph that are the integers themselves."""
    float_nodes: tuple[str, ...] = ()
    """Nodes that were left in float: asked for, or because QAIRT computes them in no integers."""
    notes: tuple[str, ...] = ()
    """What was done beyond the plan, for people (another encoding, a rewritten gate …)."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskMetric:
    """``value``: more is better. ``more``: the other figures of a function that returns several.

    ``own``: what the metric says of PyTorch's own outputs; None where it cannot tell.
    """

    name: str
    value: float
    samples: int
    own: float | None = None
    more: Mapping[str, float] = field(default_factory=dict)
