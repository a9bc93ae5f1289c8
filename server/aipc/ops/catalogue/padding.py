"""Padding in every mode."""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import nn

from ._case import RANKS, Case, case, ints, layer, x

_SHAPES = {2: (6, 20), 3: (1, 6, 20), 4: (1, 6, 10, 12), 5: (1, 3, 4, 6, 8)}


def cases() -> Iterator[Case]:
    for rank in (1, 2, 3, 4, 5, 6):
        yield case("F.pad", lambda a: F.pad(a, (1, 2)), x(*RANKS[rank]), mode="constant", pad="last", rank=rank)
    yield case("F.pad", lambda a: F.pad(a, (1, 2, 2, 1)), x(*RANKS[4]), mode="constant", pad="last 2", rank=4)
    yield case("F.pad", lambda a: F.pad(a, (0, 0, 0, 0, 1, 2)), x(*RANKS[4]), mode="constant", pad="channels", rank=4)
    yield case(
        "F.pad", lambda a: F.pad(a, (1, 2, 2, 1), value=-1.5), x(*RANKS[4]), mode="constant", value="number", rank=4
    )
    yield case(
        "F.pad", lambda a: F.pad(a, (1, 2), value=float("-inf")), x(*RANKS[4]), mode="constant", value="-inf", rank=4
    )
    yield case("F.pad", lambda a: F.pad(a, (-1, -2, 2, 1)), x(*RANKS[4]), mode="constant", pad="negative", rank=4)
    yield case("F.pad", lambda a: F.pad(a, (1, 2)), ints(0, 9, *RANKS[4]), mode="constant", dtype="int64", rank=4)
    for mode in ("reflect", "replicate", "circular"):
        for n in (1, 2, 3):
            rank = n + 2
            yield case(
                "F.pad",
                lambda a, m=mode, n=n: F.pad(a, (1, 2, 2, 1, 1, 1)[: 2 * n], mode=m),
                x(*_SHAPES[rank]),
                mode=mode,
                rank=rank,
                pad=f"last {n}",
            )
        yield case(
            "F.pad",
            lambda a, m=mode: F.pad(a, (0, 0, 1, 2), mode=m),
            x(*_SHAPES[4]),
            mode=mode,
            rank=4,
            pad="height only",
        )
        yield case("F.pad", lambda a, m=mode: F.pad(a, (1, 2), mode=m), x(*_SHAPES[2]), mode=mode, rank=2, pad="last 1")
        yield layer(
            f"pattern.conv_after_{mode}_pad",
            lambda m=mode: nn.Sequential(
                {"reflect": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d, "circular": nn.CircularPad2d}[m](1),
                nn.Conv2d(6, 8, 3),
            ),
            x(*_SHAPES[4]),
        )
    for n in (1, 2, 3):
        for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular"):
            module = getattr(nn, f"{kind}Pad{n}d")
            build = (lambda m=module: m(1, 0.5)) if kind == "Constant" else (lambda m=module: m(1))
            yield layer(f"nn.{module.__name__}", build, x(*_SHAPES[n + 2]))
