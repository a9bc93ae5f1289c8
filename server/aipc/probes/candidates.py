"""Input sets from the kinds of a model's inputs: one input is varied at a time, then all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from .kind import Kind
from .kinds import all_kinds
from .roles import Role

Array = np.ndarray[Any, Any]

_SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One input set: an array for each graph input. ``inputs``: those that differ from the example."""

    name: str
    title: str
    kind: str
    edge: bool
    outside: bool = False
    inputs: tuple[str, ...]
    arrays: Mapping[str, Array]


def candidates(roles: Sequence[Role]) -> Iterator[Candidate]:
    """All input sets, the most telling first: one of each kind and input, the set that is all new, then the others."""
    example = {role.name: role.example for role in roles}
    rows = [_of_input(role, kind, example) for kind in all_kinds() for role in roles if kind.matches(role)]
    keys = {_key(example)}
    for place, row in enumerate(zip_longest(*rows)):
        items = [item for item in row if item is not None]
        if place == 0 and len(roles) > 1 and (anew := _all_new(roles)) is not None:
            items.append(anew)
        for item in items:
            key = _key(item.arrays)
            if key not in keys:
                keys.add(key)
                yield item


def _of_input(role: Role, kind: Kind, example: Mapping[str, Array]) -> Iterator[Candidate]:
    for variant in kind.variants(role, np.random.default_rng(_SEED)):
        yield Candidate(
            name=f"{role.name}-{variant.name}",
            title=variant.title,
            kind=kind.name,
            edge=variant.edge,
            outside=variant.outside,
            inputs=(role.name,),
            arrays={**example, role.name: variant.array},
        )


def _all_new(roles: Sequence[Role]) -> Candidate | None:
    rng = np.random.default_rng(_SEED + 1)
    arrays = {}
    for role in roles:
        kind = next((kind for kind in all_kinds() if kind.draw and kind.matches(role)), None)
        arrays[role.name] = kind.draw(role, rng) if kind and kind.draw else role.example
    return Candidate(
        name="all-new", title="other values of every input", kind="all", edge=False, inputs=(), arrays=arrays
    )


def _key(arrays: Mapping[str, Array]) -> bytes:
    return b"|".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
