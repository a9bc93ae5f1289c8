"""What a measurement says. Light: the probe, the data file and the look-up share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RUNS = "runs"
WRONG = "wrong numbers"
CPU = "cpu"
FAILS = "fails"
NO_EXPORT = "does-not-export"
VERDICTS = (RUNS, WRONG, CPU, FAILS, NO_EXPORT)


@dataclass(frozen=True, slots=True)
class Measured:
    """One case on one SoC.

    ``runs``: all of it on the NPU, and right. ``wrong numbers``: it compiles and computes something else, wherever it
    runs. ``cpu``: a part of it is left to the CPU. ``fails``: it cannot be compiled or run. ``does-not-export``:
    PyTorch has no ONNX form of it.
    """

    verdict: str
    reason: str = ""
    """QAIRT's (or the exporter's) own words, or the wrong value."""
    cpu: tuple[str, ...] = ()
    """ONNX operators left to the CPU."""
    fails: tuple[str, ...] = ()
    """ONNX operators that cannot be compiled."""
    sqnr_db: float | None = None
    """Against PyTorch fp32, on random values."""
    ideal_fp16_sqnr_db: float | None = None
    """What a correctly rounded fp16 execution has there."""
    rounding: bool = False
    """Right for fp16, which is far from fp32 here."""
    values: str = ""
    """For wrong numbers: the values it is wrong on, ``random`` or (only) ``boundary``."""
    seconds: float = 0.0
    rules: tuple[str, ...] = ()
    """Rewrite rules that were applied before it was measured."""


@dataclass(frozen=True, slots=True)
class Described:
    """A case as the front process knows it."""

    id: str
    family: str
    operators: tuple[str, ...]
    attributes: Mapping[str, Any]
    label: str
    inputs: tuple[str, ...]
    random: bool = False


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What is known of a case before any SoC is asked."""

    called: tuple[str, ...] = ()
    """torch functions that PyTorch called."""
    operators: tuple[str, ...] = ()
    """ATen operators that the exporter translated."""
    nodes: tuple[str, ...] = ()
    """ONNX operators of the exported graph."""
    content: str = ""
    """Hash of the exported graph and all values."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ProbeProgress:
    """What a probing worker says as it goes: what it begins, and what it found."""

    case: str
    soc: str = ""
    """Empty while the case is being exported."""
    facts: CaseFacts | None = None
    measured: Measured | None = None
    known: bool = False
    """The journal already has this result."""
    broken: str = ""
    """PyTorch itself cannot run the case: a defect of the catalogue."""
