"""Named dimensions with several sizes: shapes on the NPU are fixed, so each combination becomes its own package."""

from __future__ import annotations

import itertools
from dataclasses import replace

from aipc.core.config import ModelRef


def variants(ref: ModelRef) -> tuple[tuple[str, ModelRef], ...]:
    """The model once for each combination of its buckets: (name such as ``length-128``, reference with pinned sizes).

    A model without buckets is its only variant, with the name "".
    """
    if ref.config is None:
        return (("", ref),)
    dims = ref.config.dims
    buckets = {name: size for name, size in dims.items() if not isinstance(size, int)}
    references = []
    for sizes in itertools.product(*buckets.values()):
        chosen = dict(zip(buckets, sizes, strict=True))
        pinned = replace(ref, config=replace(ref.config, dims={**dims, **chosen}))
        references.append(("_".join(f"{name}-{size}" for name, size in chosen.items()), pinned))
    return tuple(references)
