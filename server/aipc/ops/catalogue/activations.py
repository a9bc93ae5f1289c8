"""Activation functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ._case import IMAGE, RANKS, Case, case, layer, mask, wide, x

_SIMPLE: tuple[tuple[str, Callable[..., torch.Tensor]], ...] = (
    ("F.relu nn.ReLU torch.relu T.relu", F.relu),
    ("F.relu6 nn.ReLU6", F.relu6),
    ("torch.sigmoid nn.Sigmoid T.sigmoid F.sigmoid torch.special.expit", torch.sigmoid),
    ("torch.tanh nn.Tanh T.tanh F.tanh", torch.tanh),
    ("F.silu nn.SiLU", F.silu),
    ("F.mish nn.Mish", F.mish),
    ("F.hardswish nn.Hardswish", F.hardswish),
    ("F.hardsigmoid nn.Hardsigmoid", F.hardsigmoid),
    ("F.selu nn.SELU torch.selu", F.selu),
    ("F.logsigmoid nn.LogSigmoid", F.logsigmoid),
    ("F.softsign nn.Softsign", F.softsign),
    ("F.tanhshrink nn.Tanhshrink", F.tanhshrink),
)


def cases() -> Iterator[Case]:
    for names, function in _SIMPLE:
        yield case(names, function, wide(*IMAGE))
    for rank in (1, 2, 3, 5, 6):
        yield case("F.relu nn.ReLU torch.relu T.relu", F.relu, wide(*RANKS[rank]), rank=rank)
        yield case(
            "torch.sigmoid nn.Sigmoid T.sigmoid F.sigmoid torch.special.expit",
            torch.sigmoid,
            wide(*RANKS[rank]),
            rank=rank,
        )
        yield case("F.silu nn.SiLU", F.silu, wide(*RANKS[rank]), rank=rank)
    for how in ("none", "tanh"):
        for rank in (2, 3, 4, 5, 6):
            yield case(
                "F.gelu nn.GELU",
                lambda a, how=how: F.gelu(a, approximate=how),
                x(*RANKS[rank]),
                approximate=how,
                rank=rank,
            )
    yield case("F.elu nn.ELU", F.elu, wide(*IMAGE), alpha=1.0)
    yield case("F.elu nn.ELU", lambda a: F.elu(a, alpha=0.5), wide(*IMAGE), alpha=0.5)
    yield case("F.celu nn.CELU torch.celu", F.celu, wide(*IMAGE), alpha=1.0)
    yield case("F.celu nn.CELU torch.celu", lambda a: F.celu(a, alpha=2.0), wide(*IMAGE), alpha=2.0)
    yield case("F.leaky_relu nn.LeakyReLU", F.leaky_relu, wide(*IMAGE), negative_slope=0.01)
    yield case("F.leaky_relu nn.LeakyReLU", lambda a: F.leaky_relu(a, 0.3), wide(*IMAGE), negative_slope=0.3)
    yield layer("nn.PReLU F.prelu torch.prelu T.prelu", lambda: nn.PReLU(), wide(*IMAGE), num_parameters=1)
    yield layer("nn.PReLU F.prelu torch.prelu T.prelu", lambda: nn.PReLU(6), wide(*IMAGE), num_parameters="channels")
    yield case("F.softplus nn.Softplus", F.softplus, wide(*IMAGE), beta=1.0)
    yield case("F.softplus nn.Softplus", lambda a: F.softplus(a, beta=2.0), wide(*IMAGE), beta=2.0)
    yield case("F.hardtanh nn.Hardtanh", F.hardtanh, wide(*IMAGE))
    yield case("F.hardtanh nn.Hardtanh", lambda a: F.hardtanh(a, -0.5, 2.0), wide(*IMAGE), min_val=-0.5, max_val=2.0)
    yield case("F.hardshrink nn.Hardshrink torch.hardshrink T.hardshrink", F.hardshrink, wide(*IMAGE))
    yield case("F.softshrink nn.Softshrink", F.softshrink, wide(*IMAGE))
    yield case("F.threshold nn.Threshold torch.threshold", lambda a: F.threshold(a, 0.1, 20.0), wide(*IMAGE))
    yield case("F.rrelu nn.RReLU torch.rrelu", F.rrelu, wide(*IMAGE))
    for dim in (1, 2, 3):
        yield case("F.glu nn.GLU", lambda a, dim=dim: F.glu(a, dim), x(*IMAGE), dim=dim, rank=4)
    for name, function in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        module = {"softmax": "nn.Softmax", "log_softmax": "nn.LogSoftmax"}[name]
        names = f"F.{name} {module} torch.{name} T.{name} torch.special.{name}"
        for rank in (1, 2, 3, 4, 5, 6):
            for dim in dict.fromkeys((-1, 1 - rank if rank > 2 else -1, -rank)):
                yield case(
                    names, lambda a, f=function, dim=dim: f(a, dim=dim), x(*RANKS[rank], reach=30.0), dim=dim, rank=rank
                )
    yield case("torch.special.softmax", lambda a: torch.special.softmax(a, -1), x(*IMAGE), dim=-1, label="special")
    yield case(
        "torch.special.log_softmax", lambda a: torch.special.log_softmax(a, -1), x(*IMAGE), dim=-1, label="special"
    )
    yield case("F.softmin nn.Softmin", lambda a: F.softmin(a, dim=-1), x(*IMAGE), dim=-1)
    yield layer("nn.Softmax2d", lambda: nn.Softmax2d(), x(*IMAGE))
    yield case("F.gumbel_softmax", lambda a: F.gumbel_softmax(a, dim=-1), x(*IMAGE), random=True, dim=-1)
    yield case(
        "F.softmax torch.softmax T.softmax",
        lambda a, m: F.softmax(a.masked_fill(m, float("-inf")), -1),
        x(1, 4, 10, 12),
        mask(1, 1, 10, 12),
        label="masked with -inf",
    )
