"""Products of matrices and vectors, einsum, and linear algebra."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ._case import Case, both, case, ints, layer, within, x

_EINSUM: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    ("ij,jk->ik", ((6, 8), (8, 10))),
    ("bij,bjk->bik", ((2, 6, 8), (2, 8, 10))),
    ("bhqd,bhkd->bhqk", ((1, 4, 6, 8), (1, 4, 10, 8))),
    ("bhqk,bhkd->bhqd", ((1, 4, 6, 10), (1, 4, 10, 8))),
    ("bqhd,bkhd->bhqk", ((1, 6, 4, 8), (1, 10, 4, 8))),
    ("bhqk,bkhd->bqhd", ((1, 4, 6, 10), (1, 10, 4, 8))),
    ("bchw,bkc->bkhw", ((1, 6, 8, 10), (1, 5, 6))),
    ("bchw,bnc->bnhw", ((1, 6, 8, 10), (1, 5, 6))),
    ("bmchw,bnmc->bmhwn", ((1, 2, 6, 4, 5), (1, 3, 2, 6))),
    ("bhwc,hkc->bhwk", ((1, 6, 8, 10), (6, 5, 10))),
    ("nctv,vw->nctw", ((1, 3, 8, 5), (5, 5))),
    ("nkctv,kvw->nctw", ((1, 3, 4, 8, 5), (3, 5, 5))),
    ("i,j->ij", ((6,), (8,))),
    ("bi,bj->bij", ((2, 6), (2, 8))),
    ("ij->ji", ((6, 8),)),
    ("ij->i", ((6, 8),)),
    ("ij,ij->", ((6, 8), (6, 8))),
    ("ij,ij->ij", ((6, 8), (6, 8))),
    ("bij,bij->b", ((2, 6, 8), (2, 6, 8))),
    ("bnd,nd->bn", ((2, 6, 8), (6, 8))),
    ("...ij,...jk->...ik", ((2, 3, 6, 8), (2, 3, 8, 10))),
    ("bhid,bhjd,bhjk->bhik", ((1, 2, 4, 8), (1, 2, 6, 8), (1, 2, 6, 5))),
    ("blhd,bshd,bsh->blhd", ((1, 4, 2, 8), (1, 4, 2, 8), (1, 4, 2))),
)


def cases() -> Iterator[Case]:
    for equation, shapes in _EINSUM:
        yield case(
            "torch.einsum",
            lambda *a, e=equation: torch.einsum(e, *a),
            *(x(*shape) for shape in shapes),
            equation=equation,
        )
    yield from _products()
    yield from _linear()
    yield from _decompositions()


def _products() -> Iterator[Case]:
    names = [*both("matmul"), "torch.Tensor.__matmul__", "torch.linalg.matmul"]
    for one, two in (
        ((8,), (8,)),
        ((6, 8), (8,)),
        ((8,), (8, 10)),
        ((6, 8), (8, 10)),
        ((2, 6, 8), (8, 10)),
        ((2, 6, 8), (2, 8, 10)),
        ((1, 4, 6, 8), (1, 4, 8, 10)),
        ((1, 4, 6, 8), (1, 1, 8, 10)),
        ((1, 2, 3, 6, 8), (1, 2, 3, 8, 10)),
        ((1, 2, 3, 2, 6, 8), (1, 2, 3, 2, 8, 10)),
    ):
        yield case(
            names, torch.matmul, x(*one), x(*two), rank=len(one), other_rank=len(two), label="x".join(map(str, two))
        )
    yield case(names, lambda a, b: a @ b.transpose(-1, -2), x(1, 4, 6, 8), x(1, 4, 10, 8), label="transposed")
    yield case(
        names, lambda a, b: a @ b, ints(0, 5, 6, 8, dtype="int32"), ints(0, 5, 8, 10, dtype="int32"), dtype="int32"
    )
    yield case(names, torch.matmul, x(1, 256, 512), x(512, 64), label="512 terms")
    yield case(both("mm"), torch.mm, x(6, 8), x(8, 10))
    yield case(both("bmm"), torch.bmm, x(2, 6, 8), x(2, 8, 10))
    yield case(both("mv"), torch.mv, x(6, 8), x(8))
    yield case(both("dot"), torch.dot, x(8), x(8))
    yield case(both("vdot"), torch.vdot, x(8), x(8))
    yield case("torch.inner T.inner", torch.inner, x(6, 8), x(5, 8), rank=2)
    yield case(both("outer", "ger"), torch.outer, x(6), x(8))
    yield case(both("kron"), torch.kron, x(3, 4), x(2, 5))
    yield case(both("addmm"), torch.addmm, x(6, 10), x(6, 8), x(8, 10))
    yield case(
        both("addmm"),
        lambda a, b, c: torch.addmm(a, b, c, beta=0.5, alpha=2.0),
        x(6, 10),
        x(6, 8),
        x(8, 10),
        beta=0.5,
        alpha=2.0,
    )
    yield case(both("addmv"), torch.addmv, x(6), x(6, 8), x(8))
    yield case(both("addr"), torch.addr, x(6, 8), x(6), x(8))
    yield case(both("addbmm"), torch.addbmm, x(6, 10), x(2, 6, 8), x(2, 8, 10))
    yield case(both("baddbmm"), torch.baddbmm, x(2, 6, 10), x(2, 6, 8), x(2, 8, 10))
    yield case(
        "torch.linalg.multi_dot torch.chain_matmul",
        lambda a, b, c: torch.linalg.multi_dot([a, b, c]),
        x(6, 8),
        x(8, 10),
        x(10, 4),
    )
    yield case("torch.tensordot", lambda a, b: torch.tensordot(a, b, dims=1), x(2, 6, 8), x(8, 10), dims=1)
    yield case(
        "torch.tensordot",
        lambda a, b: torch.tensordot(a, b, dims=([1, 2], [0, 1])),
        x(2, 6, 8),
        x(6, 8, 10),
        dims="lists",
    )
    yield case("torch.cdist", torch.cdist, within(1, 3, 1, 6, 8), within(-3, -1, 1, 10, 8))
    yield case("torch.cdist", lambda a, b: torch.cdist(a, b, p=1.0), x(1, 6, 8), x(1, 10, 8), p=1.0)
    yield case([*both("cross"), "torch.linalg.cross"], lambda a, b: torch.linalg.cross(a, b), x(6, 3), x(6, 3))
    yield case("torch.cross T.cross", lambda a, b: torch.cross(a, b, dim=-1), x(6, 3), x(6, 3), dim=-1)
    yield case("torch.linalg.vecdot", torch.linalg.vecdot, x(6, 8), x(6, 8))


def _linear() -> Iterator[Case]:
    names = "nn.Linear F.linear"
    for shape in ((8,), (6, 8), (2, 6, 8), (1, 4, 6, 8), (1, 2, 4, 6, 8), (1, 2, 2, 2, 6, 8)):
        yield layer(names, lambda: nn.Linear(8, 10), x(*shape), rank=len(shape))
    yield layer(names, lambda: nn.Linear(8, 10, bias=False), x(2, 6, 8), bias=False)
    yield layer(names, lambda: nn.Linear(1024, 256), x(1, 16, 1024), label="1024 inputs")
    yield case(names, F.linear, x(2, 6, 8), x(10, 8), weight="computed")
    yield layer("nn.Bilinear F.bilinear torch.bilinear", lambda: nn.Bilinear(8, 6, 5), x(4, 8), x(4, 6))
    for name, function in (
        ("gelu", F.gelu),
        ("silu", F.silu),
        ("tanh", torch.tanh),
        ("sigmoid", torch.sigmoid),
        ("softmax", lambda a: a.softmax(-1)),
    ):
        yield layer(f"pattern.linear_{name}", lambda f=function: _LinearThen(f), x(1, 16, 32))


class _LinearThen(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.linear = nn.Linear(32, 48)
        self.function = function

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return self.function(self.linear(a))  # type: ignore[no-any-return, operator]


def _decompositions() -> Iterator[Case]:
    square, near_eye = x(4, 4), within(0.5, 1.5, 4, 4)
    yield case("torch.linalg.det torch.det T.det", torch.linalg.det, square)
    yield case(both("logdet"), lambda a: torch.logdet(a @ a.mT + torch.eye(4)), square)
    yield case("torch.linalg.slogdet torch.slogdet", lambda a: torch.linalg.slogdet(a), square)
    yield case("torch.linalg.inv torch.inverse T.inverse", lambda a: torch.linalg.inv(a + 4 * torch.eye(4)), near_eye)
    yield case("torch.linalg.solve", lambda a, b: torch.linalg.solve(a + 4 * torch.eye(4), b), near_eye, x(4, 2))
    yield case("torch.linalg.cholesky torch.cholesky", lambda a: torch.linalg.cholesky(a @ a.mT + torch.eye(4)), square)
    yield case("torch.linalg.svd torch.svd", lambda a: torch.linalg.svd(a).S, square)
    yield case("torch.linalg.qr torch.qr", lambda a: torch.linalg.qr(a), square)
    yield case("torch.linalg.eigh", lambda a: torch.linalg.eigh(a + a.mT).eigenvalues, square)
    yield case(
        "torch.linalg.lstsq", lambda a, b: torch.linalg.lstsq(a + 4 * torch.eye(4), b).solution, near_eye, x(4, 2)
    )
    yield case("torch.linalg.pinv torch.pinverse", lambda a: torch.linalg.pinv(a), square)
    yield case("torch.linalg.matrix_power torch.matrix_power", lambda a: torch.linalg.matrix_power(a, 3), square)
    yield case("torch.linalg.matrix_exp torch.matrix_exp", lambda a: torch.linalg.matrix_exp(a), near_eye)
    yield case("torch.linalg.matrix_norm", lambda a: torch.linalg.matrix_norm(a), x(2, 6, 8), ord="fro")
    yield case(
        "torch.linalg.solve_triangular",
        lambda a, b: torch.linalg.solve_triangular(a.triu() + 4 * torch.eye(4), b, upper=True),
        near_eye,
        x(4, 2),
    )
    yield case("torch.trace T.trace", torch.trace, square)
    yield case("torch.vander", lambda a: torch.vander(a, 4), x(6))
    yield case("torch.cov", torch.cov, x(4, 20))
    yield case("torch.corrcoef", torch.corrcoef, x(4, 20))
