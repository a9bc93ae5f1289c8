"""Keep as few layers as pass in a higher precision, the worst ones first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aipc.core.accuracy import NodeAccuracy

from .attempt import Attempt
from .remedy import FailedAttempt, Proposal, Proposals
from .variant import Variant

MOST_ATTEMPTS = 8
"""Attempts with layers kept higher; halving an interval, they tell 128 ranks apart."""

Keep = Callable[[tuple[str, ...]], Variant]
"""The variant with some nodes in a higher precision."""


def fewest_layers(case: FailedAttempt, base: Attempt, keep: Keep, precision: str) -> Proposals:
    """Propose ``base`` with some groups of nodes in a higher precision, until the fewest that pass are known.

    The effects of the nodes say how many are needed; the interval between too few and enough is then halved.

    Args:
        precision: what they are kept in, for people.
    """
    accuracy = case.introduced_error(base)
    ranking = ranked(accuracy) if accuracy else []
    if not ranking:
        return
    few, enough = 0, len(ranking) + 1
    count = needed(ranking, case.threshold_db(base.plan), base.candidate.sqnr_db)
    for _ in range(MOST_ATTEMPTS):
        plan_nodes = tuple(name for group in ranking[:count] for name in group.nodes)
        worst = f"the {count} worst of {len(ranking)} layers" if count > 1 else "the worst layer"
        attempt = yield Proposal(variant=keep(plan_nodes), measure=f"{worst} in {precision}")
        if attempt.ok:
            enough = count
        else:
            few = count
        if enough - few <= 1:
            return
        count = (few + enough) // 2 if enough <= len(ranking) else min(max(count + 1, 2 * count), len(ranking))
        if count in (few, enough):
            return


@dataclass(frozen=True, slots=True)
class Suspect:
    """A group of nodes that is kept higher as one, and the noise power that it alone puts on the outputs."""

    nodes: tuple[str, ...]
    power: float


def ranked(accuracy: NodeAccuracy) -> list[Suspect]:
    """The groups that introduce error, the worst first."""
    groups: dict[tuple[str, ...], float] = {}
    for name, error in accuracy.nodes.items():
        if error.effect_sqnr_db is None or error.effect_sqnr_db == float("inf"):
            continue
        nodes = error.group or (name,)
        groups[nodes] = groups.get(nodes, 0.0) + 10 ** (-max(error.effect_sqnr_db, -300.0) / 10)
    return sorted(
        (Suspect(nodes, power) for nodes, power in groups.items()), key=lambda item: (-item.power, item.nodes)
    )


def needed(ranking: Sequence[Suspect], threshold_db: float, reached_db: float | None) -> int:
    """How many of the worst groups must go for the rest to pass, by adding noise powers.

    The powers are scaled so that all of them together give what the base reached.
    """
    total = sum(item.power for item in ranking)
    scale = 10 ** (-reached_db / 10) / total if reached_db is not None and total else 1.0
    allowed = 10 ** (-threshold_db / 10)
    left = total
    for count, item in enumerate(ranking, 1):
        left -= item.power
        if left * scale <= allowed:
            return count
    return len(ranking)
