"""What rewriting and proving return: frozen, picklable and light, so that any process can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntFlag

from aipc.core.types import OutputAccuracy, PlacementReport, SourceMap


class Exactness(str, Enum):
    """How near a rewrite is to the original in exact arithmetic.

    ``EXACT``: the same numbers, bit for bit, in fp32. ``ROUNDING``: the same function, summed or multiplied in another
    order. ``APPROXIMATE``: another function, near enough within a stated bound; never applied without being asked for.
    """

    EXACT = "exact"
    ROUNDING = "rounding"
    APPROXIMATE = "approximate"


class NonFinite(IntFlag):
    """Numbers that are not finite: what a rule's precondition excludes, or a tensor may hold."""

    NONE = 0
    POSITIVE = 1
    NEGATIVE = 2
    NAN = 4
    INFINITE = 3
    ANY = 7


class Trigger(str, Enum):
    """What calls for a rule.

    ``REFUSED``: QAIRT leaves the node off the NPU; the rule is applied to nodes that placement names. ``WRONG``: QAIRT
    takes the node and gives other numbers; applied wherever the form is found. ``UNBUILDABLE``: QAIRT takes the node
    alone and may not be able to build it in a graph; applied everywhere when a graph does not compile, else only beside
    what was rewritten. ``COARSE``: right, but the NPU rounds more than it need; applied when a package misses its gate.
    ``FUSED``: the same, because the compiler joins the node with the one before it; exact, and applied before those.
    ``MASKED``: scores with an added mask; exact, and applied when a package is wrong on a mask.
    ``INTEGERS``: taken in float, and not as the quantizer writes it; applied wherever a graph is to be quantized.
    """

    REFUSED = "refused"
    WRONG = "wrong"
    UNBUILDABLE = "unbuildable"
    COARSE = "coarse"
    FUSED = "fused"
    MASKED = "masked"
    INTEGERS = "integers"


@dataclass(frozen=True, slots=True)
class Application:
    """One rule applied to one node: ``new_nodes`` replace ``nodes``; ``touched``: read by it. All are names."""

    rule: str
    title: str
    trigger: Trigger
    exactness: Exactness
    root: str
    nodes: tuple[str, ...]
    new_nodes: tuple[str, ...]
    touched: tuple[str, ...]
    cause: str
    """The captured node that it goes back to: ``root``, or what an earlier application made ``root`` from."""
    excludes: NonFinite = NonFinite.NONE


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a rule did not apply to a node."""

    rule: str
    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Applied:
    """Everything that one round of rewriting did and did not do."""

    applications: tuple[Application, ...]
    refused: tuple[Refused, ...]
    source_map: SourceMap
    aliases: Mapping[str, str]
    """Tensors that are no more, because another tensor of the new graph is the same."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of a proof. ``ok`` follows from the figures by the rule that ``wanted`` states."""

    name: str
    ok: bool
    figures: tuple[OutputAccuracy, ...] = ()
    wanted: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence that a rewrite is right for the nodes it replaced.

    Args:
        checks: equality on the true and on boundary inputs (fp32, CPU), placement and compilation for the SoC, and the
            simulator against the original in fp32, each with its figures.
    """

    rules: tuple[str, ...]
    nodes: tuple[str, ...]
    soc: str
    qairt: str
    exactness: Exactness
    checks: tuple[Check, ...]
    placement: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def failed(self) -> Check | None:
        return next((check for check in self.checks if not check.ok), None)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What the rewrite job did to a captured graph; the new graph is ``model.onnx`` in its directory."""

    changed: bool
    applications: tuple[Application, ...]
    refused: tuple[Refused, ...]
    proofs: tuple[Proof, ...]
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every node of the new graph -> the captured nodes that it stands for."""
    undecidable: tuple[str, ...] = ()
    """Nodes of the new graph on the NPU that ask for NaN where infinities may be, and answer yes to both."""
    by_class: int = 0
    """Proofs that rest on the simulator's answer for another site of the class."""
    equality: tuple[OutputAccuracy, ...] = ()
    """Outputs of the rewritten graph against the captured one, both in fp32 on the CPU."""
    placement: PlacementReport | None = None
    """Of the rewritten graph."""
    seconds: Mapping[str, float] = field(default_factory=dict)
