"""Losses: seldom deployed, often left in a forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

from ._case import Case, case, ints, within, x

_PAIRS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("F.mse_loss nn.MSELoss", F.mse_loss),
    ("F.l1_loss nn.L1Loss", F.l1_loss),
    ("F.smooth_l1_loss nn.SmoothL1Loss", F.smooth_l1_loss),
    ("F.huber_loss nn.HuberLoss", F.huber_loss),
    ("F.soft_margin_loss nn.SoftMarginLoss", F.soft_margin_loss),
    ("F.poisson_nll_loss nn.PoissonNLLLoss", F.poisson_nll_loss),
)


def cases() -> Iterator[Case]:
    for names, function in _PAIRS:
        yield case(names, function, x(6, 20, reach=3.0), x(6, 20, reach=3.0))
    yield case(
        "F.mse_loss nn.MSELoss", lambda a, b: F.mse_loss(a, b, reduction="none"), x(6, 20), x(6, 20), reduction="none"
    )
    yield case("F.cross_entropy nn.CrossEntropyLoss", F.cross_entropy, x(6, 20), ints(0, 20, 6), rank=2)
    yield case("F.cross_entropy nn.CrossEntropyLoss", F.cross_entropy, x(1, 6, 10, 12), ints(0, 6, 1, 10, 12), rank=4)
    yield case("F.nll_loss nn.NLLLoss", F.nll_loss, x(6, 20), ints(0, 20, 6), rank=2)
    yield case("F.nll_loss nn.NLLLoss nn.NLLLoss2d", F.nll_loss, x(1, 6, 10, 12), ints(0, 6, 1, 10, 12), rank=4)
    yield case(
        "F.binary_cross_entropy nn.BCELoss", F.binary_cross_entropy, within(0.1, 0.9, 6, 20), within(0, 1, 6, 20)
    )
    yield case(
        "F.binary_cross_entropy_with_logits nn.BCEWithLogitsLoss",
        F.binary_cross_entropy_with_logits,
        x(6, 20),
        within(0, 1, 6, 20),
    )
    yield case("F.kl_div nn.KLDivLoss", F.kl_div, within(-3, -0.1, 6, 20), within(0.1, 1, 6, 20))
    yield case(
        "F.hinge_embedding_loss nn.HingeEmbeddingLoss",
        lambda a, b: F.hinge_embedding_loss(a, torch.sign(b)),
        x(6, 20),
        within(0.5, 3, 6, 20),
    )
    yield case("F.margin_ranking_loss nn.MarginRankingLoss", F.margin_ranking_loss, x(20), x(20), within(1, 1.01, 20))
    yield case(
        "F.triplet_margin_loss nn.TripletMarginLoss",
        F.triplet_margin_loss,
        within(1, 3, 6, 20),
        within(-3, -1, 6, 20),
        within(5, 8, 6, 20),
    )
    yield case(
        "F.cosine_embedding_loss nn.CosineEmbeddingLoss",
        lambda a, b: F.cosine_embedding_loss(a, b, torch.ones(6)),
        x(6, 20),
        x(6, 20),
    )
    yield case("F.gaussian_nll_loss nn.GaussianNLLLoss", F.gaussian_nll_loss, x(6, 20), x(6, 20), within(0.5, 2, 6, 20))
    yield case(
        "F.multilabel_soft_margin_loss nn.MultiLabelSoftMarginLoss",
        F.multilabel_soft_margin_loss,
        x(6, 20),
        within(0, 1, 6, 20),
    )
    yield case("F.multi_margin_loss nn.MultiMarginLoss", F.multi_margin_loss, x(6, 20), ints(0, 20, 6))
