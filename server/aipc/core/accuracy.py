"""How far every node of a package is from fp32, and which of them is to blame.

Light: the editor, the reports and the search over precisions read it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NodeError:
    """Distance of one tensor of the package to fp32, in dB, and where that distance comes from.

    With y the fp32 tensor, y' the package's, and f the fp32 computation from the tensors read before it:

    - the error is y' - y, and ``sqnr_db`` and ``cosine`` are of it;
    - ``introduced`` is y' - f(x'), what this group of nodes adds to the package's own inputs x';
    - ``inherited`` is f(x') - y, what fp32 nodes would have made of those inputs.

    The two add up to the error. A tensor with one large channel can be near fp32 as a whole while its small channels
    are lost, and only the next layer shows that, as inherited. Therefore ``effect_sqnr_db`` puts the introduced error
    alone into an fp32 run of the model and measures the worst of the model's outputs: that is what names the culprit.
    """

    sqnr_db: float
    ideal_fp16_sqnr_db: float | None = None
    """Of a correctly rounded fp16 run; None for integers."""
    cosine: float | None = None
    introduced_sqnr_db: float | None = None
    inherited_sqnr_db: float | None = None
    effect_sqnr_db: float | None = None
    """Of the model's worst output if the introduced error of this node were the only one; None: not measured."""
    share: float = 0.0
    """Of all measured effects' noise power at the outputs, from 0 to 1."""
    group: tuple[str, ...] = ()
    """The nodes between the tensors read before and this one, itself included: what ``introduced`` is of."""
    channel_spread: float | None = None
    """The largest channel's peak over the median channel's peak: large where an outlier channel sets the range."""
    channel: int | None = None
    """The channel with the largest peak."""
    op_type: str = ""
    """Of the node that gives the group its name: the one with weights, else the last."""
    file: str = ""
    line: int = 0
    """Where the author wrote that node, from 1; 0 when it is not known."""
    module: str = ""
    """The module instance that ran there, such as ``stage1.0.conv``: it tells instances of one line apart."""


@dataclass(frozen=True, slots=True)
class NodeAccuracy:
    """Node -> error, for the nodes whose output can be read without changing the graph.

    ``unchanged``: the outputs were bit-equal to the package's while reading; None when that was not compared.
    """

    nodes: Mapping[str, NodeError]
    unchanged: bool | None = None
    inputs: Mapping[str, NodeError] = field(default_factory=dict)
    """Graph inputs that are quantized, by name."""
    unread: tuple[str, ...] = ()
    """Nodes whose own output a fusion swallows or no integer stores; they are in the group of a later node."""
    notes: tuple[str, ...] = ()
    """What was left out, for people."""

    def error_of(self, node: str) -> NodeError | None:
        """The error that stands for ``node``: its own, or that of the group it is fused into."""
        if node_error := self.nodes.get(node):
            return node_error
        return next((error for error in self.nodes.values() if node in error.group), None)

    def of_every_node(self) -> dict[str, NodeError]:
        """Node -> the error that stands for it: its own, or that of the group it is fused into."""
        fused = {name: error for error in self.nodes.values() for name in error.group}
        return {**fused, **self.nodes}

    def worst(self, most: int = 8) -> list[tuple[str, NodeError]]:
        """The nodes that introduce the most of the model's error, the worst first; one of each fused group."""
        blamed = [(name, error) for name, error in self.nodes.items() if error.effect_sqnr_db is not None]
        ranked = sorted(blamed, key=lambda item: (item[1].effect_sqnr_db, item[0]))
        groups: dict[tuple[str, ...], tuple[str, NodeError]] = {}
        for name, error in ranked:
            if error.effect_sqnr_db != math.inf:
                groups.setdefault(error.group or (name,), (name, error))
        return list(groups.values())[:most]


def with_shares(errors: Mapping[str, NodeError]) -> dict[str, float]:
    """Name -> share of the noise power that the measured effects have together."""
    power = {
        name: 0.0 if error.effect_sqnr_db is None else 10 ** (-min(max(error.effect_sqnr_db, -300.0), 300.0) / 10)
        for name, error in errors.items()
    }
    total = sum(power.values())
    return {name: value / total if total else 0.0 for name, value in power.items()}


def responsible(group: Sequence[str], kinds: Mapping[str, str]) -> str:
    """The node of a fused group that gives it its name: the one with weights, else the last."""
    weighty = ("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU")
    return next((name for name in group if kinds.get(name) in weighty), group[-1] if group else "")
