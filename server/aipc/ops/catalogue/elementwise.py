"""Arithmetic, comparisons, logic and rounding, element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from ._case import IMAGE, RANKS, Case, Input, both, case, ints, mask, wide, within, x

_Function = Callable[..., Any]

_ANY: tuple[tuple[str, _Function], ...] = (
    ("abs", torch.abs),
    ("neg", torch.neg),
    ("sign", torch.sign),
    ("sgn", torch.sgn),
    ("signbit", torch.signbit),
    ("floor", torch.floor),
    ("ceil", torch.ceil),
    ("round", torch.round),
    ("trunc", torch.trunc),
    ("fix", torch.fix),
    ("frac", torch.frac),
    ("square", torch.square),
    ("sin", torch.sin),
    ("cos", torch.cos),
    ("sinc", torch.sinc),
    ("atan", torch.atan),
    ("asinh", torch.asinh),
    ("erf", torch.erf),
    ("erfc", torch.erfc),
    ("deg2rad", torch.deg2rad),
    ("rad2deg", torch.rad2deg),
    ("isnan", torch.isnan),
    ("isinf", torch.isinf),
    ("isfinite", torch.isfinite),
    ("isposinf", torch.isposinf),
    ("isneginf", torch.isneginf),
    ("nan_to_num", torch.nan_to_num),
    ("logical_not", torch.logical_not),
    ("positive", torch.positive),
)
# name, function, and the interval that it is defined on, or where it does not overflow
_ON: tuple[tuple[str, _Function, float, float], ...] = (
    ("exp", torch.exp, -8, 8),
    ("exp2", torch.exp2, -10, 10),
    ("expm1", torch.expm1, -8, 8),
    ("log", torch.log, 2.0**-12, 6e4),
    ("log2", torch.log2, 2.0**-14, 6e4),
    ("log10", torch.log10, 2.0**-14, 6e4),
    ("log1p", torch.log1p, -0.75, 6e4),
    ("sqrt", torch.sqrt, 0.0, 6e4),
    ("rsqrt", torch.rsqrt, 2.0**-10, 6e4),
    ("reciprocal", torch.reciprocal, 2.0**-10, 1.5e4),
    ("tan", torch.tan, -1.4, 1.4),
    ("asin", torch.asin, -1, 1),
    ("acos", torch.acos, -1, 1),
    ("sinh", torch.sinh, -8, 8),
    ("cosh", torch.cosh, -8, 8),
    ("acosh", torch.acosh, 1, 1000),
    ("atanh", torch.atanh, -0.96, 0.96),
    ("logit", torch.logit, 0.01, 0.99),
    ("erfinv", torch.erfinv, -0.96, 0.96),
    ("lgamma", torch.lgamma, 0.1, 30),
    ("digamma", torch.digamma, 0.1, 30),
)
_ALIASES: tuple[tuple[str, _Function, float, float], ...] = (
    ("absolute", torch.absolute, -100, 100),
    ("negative", torch.negative, -100, 100),
    ("arccos", torch.arccos, -1, 1),
    ("arcsin", torch.arcsin, -1, 1),
    ("arctan", torch.arctan, -8, 8),
    ("arcsinh", torch.arcsinh, -8, 8),
    ("arccosh", torch.arccosh, 1, 100),
    ("arctanh", torch.arctanh, -0.96, 0.96),
)
_BINARY: tuple[tuple[str, _Function], ...] = (
    ("add", torch.add),
    ("sub", torch.sub),
    ("subtract", torch.subtract),
    ("mul", torch.mul),
    ("multiply", torch.multiply),
    ("maximum", torch.maximum),
    ("minimum", torch.minimum),
    ("fmax", torch.fmax),
    ("fmin", torch.fmin),
    ("atan2", torch.atan2),
    ("arctan2", torch.arctan2),
    ("logaddexp", torch.logaddexp),
    ("logaddexp2", torch.logaddexp2),
    ("copysign", torch.copysign),
    ("heaviside", torch.heaviside),
)
_DIVIDING: tuple[tuple[str, _Function], ...] = (
    ("div", torch.div),
    ("divide", torch.divide),
    ("true_divide", torch.true_divide),
    ("floor_divide", torch.floor_divide),
    ("remainder", torch.remainder),
    ("fmod", torch.fmod),
)
_COMPARE: tuple[tuple[str, _Function], ...] = (
    ("eq", torch.eq),
    ("ne", torch.ne),
    ("lt", torch.lt),
    ("le", torch.le),
    ("gt", torch.gt),
    ("ge", torch.ge),
    ("less", torch.less),
    ("less_equal", torch.less_equal),
    ("greater", torch.greater),
    ("greater_equal", torch.greater_equal),
    ("not_equal", torch.not_equal),
    ("isclose", torch.isclose),
)
_LOGIC: tuple[tuple[str, _Function], ...] = (
    ("logical_and", torch.logical_and),
    ("logical_or", torch.logical_or),
    ("logical_xor", torch.logical_xor),
)
_BITS: tuple[tuple[str, _Function], ...] = (
    ("bitwise_and", torch.bitwise_and),
    ("bitwise_or", torch.bitwise_or),
    ("bitwise_xor", torch.bitwise_xor),
)
_SPECIAL: tuple[tuple[str, _Function, float, float], ...] = (
    ("erfcx", torch.special.erfcx, -2, 8),
    ("expm1", torch.special.expm1, -8, 8),
    ("exp2", torch.special.exp2, -8, 8),
    ("log1p", torch.special.log1p, -0.75, 100),
    ("erf", torch.special.erf, -8, 8),
    ("erfc", torch.special.erfc, -3, 3),
    ("sinc", torch.special.sinc, -8, 8),
    ("round", torch.special.round, -100, 100),
    ("i0", torch.special.i0, -5, 5),
)


def cases() -> Iterator[Case]:
    yield from _unary()
    yield from _binary()
    yield from _scalars()
    yield from _ternary()
    yield from _casts()


def _unary() -> Iterator[Case]:
    for name, function in _ANY:
        yield case(both(name), function, wide(*IMAGE))
    for name, function, low, high in (*_ON, *_ALIASES):
        yield case(both(name), function, within(low, high, *IMAGE))
    for name, function, low, high in _SPECIAL:
        yield case(f"torch.special.{name}", function, within(low, high, *IMAGE), label="special")
    for rank in (1, 2, 3, 5, 6):
        for name, function, low, high in (
            ("abs", torch.abs, -100, 100),
            ("exp", torch.exp, -8, 8),
            ("sqrt", torch.sqrt, 0, 100),
            ("neg", torch.neg, -100, 100),
            ("rsqrt", torch.rsqrt, 0.01, 100),
            ("sin", torch.sin, -8, 8),
            ("floor", torch.floor, -100, 100),
        ):
            yield case(both(name), function, within(low, high, *RANKS[rank]), rank=rank)
    yield case(both("round"), lambda a: torch.round(a, decimals=2), x(*IMAGE), decimals=2)
    for name, function in (("abs", torch.abs), ("neg", torch.neg), ("sign", torch.sign)):
        yield case(both(name), function, ints(-50, 50, *IMAGE, dtype="int32"), dtype="int32")
    yield case([*both("bitwise_not"), "torch.Tensor.__invert__"], torch.bitwise_not, mask(*IMAGE), dtype="bool")
    yield case(both("bitwise_not"), torch.bitwise_not, ints(-50, 50, *IMAGE, dtype="int32"), dtype="int32")
    yield case(both("logical_not"), torch.logical_not, mask(*IMAGE), dtype="bool")


def _binary() -> Iterator[Case]:
    for name, function in _BINARY:
        yield case(both(name), function, x(*IMAGE, reach=100), x(*IMAGE, reach=100))
    for name, function in _DIVIDING:
        yield case(both(name), function, x(*IMAGE, reach=1000), within(0.25, 8, *IMAGE), label="positive divisor")
        yield case(both(name), function, x(*IMAGE, reach=1000), within(-8, -0.25, *IMAGE), label="negative divisor")
    for mode in ("floor", "trunc"):
        yield case(
            both("div") + both("divide"),
            lambda a, b, mode=mode: torch.div(a, b, rounding_mode=mode),
            x(*IMAGE, reach=1000),
            within(-8, -0.25, *IMAGE),
            rounding_mode=mode,
        )
    for name, function in _COMPARE:
        yield case(both(name), function, within(-3, 3, *IMAGE), within(-3, 3, *IMAGE))
    for name, function in (("eq", torch.eq), ("lt", torch.lt), ("ge", torch.ge)):
        for dtype in ("int32", "int64"):
            yield case(
                both(name), function, ints(0, 4, *IMAGE, dtype=dtype), ints(0, 4, *IMAGE, dtype=dtype), dtype=dtype
            )
    for name, function in _LOGIC:
        yield case(both(name), function, mask(*IMAGE), mask(*IMAGE), dtype="bool")
        yield case(both(name), function, x(*IMAGE), x(*IMAGE), dtype="float32")
    for name, function in _BITS:
        yield case(both(name), function, mask(*IMAGE), mask(*IMAGE), dtype="bool")
        yield case(both(name), function, *(ints(0, 100, *IMAGE, dtype="int32"),) * 2, dtype="int32")
    for name, shift in (("left", torch.bitwise_left_shift), ("right", torch.bitwise_right_shift)):
        yield case(
            both(f"bitwise_{name}_shift"), shift, ints(0, 100, *IMAGE, dtype="int32"), ints(0, 4, *IMAGE, dtype="int32")
        )
    yield case("torch.Tensor.__lshift__", lambda a: a << 2, ints(0, 100, *IMAGE, dtype="int32"), dtype="int32")
    yield case("torch.Tensor.__rshift__", lambda a: a >> 2, ints(0, 100, *IMAGE, dtype="int32"), dtype="int32")
    yield case(
        [*both("pow"), "torch.Tensor.__pow__"],
        torch.pow,
        within(0.1, 8, *IMAGE),
        within(-2, 3, *IMAGE),
        exponent="tensor",
    )
    yield case(both("xlogy"), torch.xlogy, x(*IMAGE), within(0.1, 8, *IMAGE))
    yield case(both("hypot"), torch.hypot, x(*IMAGE), x(*IMAGE))
    yield case(both("ldexp"), torch.ldexp, x(*IMAGE), ints(-3, 4, *IMAGE))
    yield case(both("nextafter"), torch.nextafter, x(*IMAGE), x(*IMAGE))
    yield case(both("gcd"), torch.gcd, ints(1, 50, *IMAGE, dtype="int32"), ints(1, 50, *IMAGE, dtype="int32"))
    yield from _binary_ranks()
    yield from _integers()


def _binary_ranks() -> Iterator[Case]:
    for rank in (1, 2, 3, 5, 6):
        for name, function in (("add", torch.add), ("mul", torch.mul), ("sub", torch.sub)):
            yield case(both(name), function, x(*RANKS[rank]), x(*RANKS[rank]), rank=rank)
        yield case(both("div"), torch.div, x(*RANKS[rank]), within(0.25, 8, *RANKS[rank]), rank=rank)
        yield case(both("maximum"), torch.maximum, x(*RANKS[rank]), x(*RANKS[rank]), rank=rank)
    for name, function in (("add", torch.add), ("mul", torch.mul)):
        yield case(both(name), function, x(*IMAGE), x(1, 6, 1, 1), label="broadcast over channels")
        yield case(both(name), function, x(*IMAGE), x(12), label="broadcast of rank 1")
        yield case(both(name), function, x(1, 6, 1, 12), x(1, 1, 10, 1), label="broadcast both ways")
        yield case(both(name), function, x(4, 3, 5, 6, 7), x(1, 3, 1, 1, 7), label="broadcast, rank 5")


def _integers() -> Iterator[Case]:
    for dtype in ("int32", "int64"):
        small, divisor = ints(-50, 50, *IMAGE, dtype=dtype), ints(1, 8, *IMAGE, dtype=dtype)
        for name, function in (
            ("add", torch.add),
            ("sub", torch.sub),
            ("mul", torch.mul),
            ("maximum", torch.maximum),
            ("minimum", torch.minimum),
        ):
            yield case(both(name), function, small, small, dtype=dtype)
        for name, function in (
            ("div", torch.div),
            ("floor_divide", torch.floor_divide),
            ("remainder", torch.remainder),
            ("fmod", torch.fmod),
        ):
            yield case(both(name), function, small, divisor, dtype=dtype)
        large = ints(60_000, 70_000, *IMAGE, dtype=dtype)
        yield case(both("add"), torch.add, large, large, dtype=dtype, label="above 65504")
        yield case(both("mul"), torch.mul, large, large, dtype=dtype, label="beyond 32 bits")


def _scalars() -> Iterator[Case]:
    yield case(["torch.Tensor.__add__", *both("add")], lambda a: a + 1.5, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__radd__"], lambda a: 1.5 + a, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__sub__", *both("sub")], lambda a: a - 1.5, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__rsub__", "torch.rsub"], lambda a: 1.5 - a, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__mul__", *both("mul")], lambda a: a * 0.3, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__rmul__"], lambda a: 0.3 * a, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__truediv__", *both("div")], lambda a: a / 3.0, wide(*IMAGE), other="scalar")
    yield case(["torch.Tensor.__rtruediv__"], lambda a: 3.0 / a, within(0.25, 100, *IMAGE), other="scalar")
    yield case(
        ["torch.Tensor.__floordiv__", *both("floor_divide")], lambda a: a // 2.0, x(*IMAGE, reach=1000), other="scalar"
    )
    yield case(["torch.Tensor.__mod__", *both("remainder")], lambda a: a % 3.0, x(*IMAGE, reach=1000), other="scalar")
    yield case(
        ["torch.Tensor.__mod__", *both("remainder")], lambda a: a % -3.0, x(*IMAGE, reach=1000), other="negative scalar"
    )
    yield case(["torch.Tensor.__neg__"], lambda a: -a, wide(*IMAGE))
    for exponent in (2, 3, 0.5, -1, -0.5, 4):
        spec: Input = within(0.25, 8, *IMAGE) if exponent in (0.5, -1, -0.5) else x(*IMAGE)
        names = [*both("pow"), "torch.Tensor.__pow__"]
        yield case(names, lambda a, e=exponent: a**e, spec, exponent=exponent)
    yield case([*both("pow"), "torch.Tensor.__rpow__"], lambda a: 2.0**a, x(*IMAGE), self="scalar")
    yield case(both("float_power"), lambda a: torch.float_power(a, 2.0), x(*IMAGE))
    for name, function in _COMPARE[:11]:
        yield case(both(name), lambda a, f=function: f(a, 0.5), within(-3, 3, *IMAGE), other="scalar")
    yield case(both("clamp") + both("clip"), lambda a: a.clamp(-1.5, 2.0), wide(*IMAGE), min="number", max="number")
    yield case(both("clamp") + both("clip"), lambda a: a.clamp(min=0.5), wide(*IMAGE), min="number")
    yield case(both("clamp") + both("clip"), lambda a: a.clamp(max=0.5), wide(*IMAGE), max="number")
    yield case(both("clamp_min"), lambda a: torch.clamp_min(a, 0.5), wide(*IMAGE))
    yield case(both("clamp_max"), lambda a: torch.clamp_max(a, 0.5), wide(*IMAGE))
    yield case(
        both("clamp") + both("clip"),
        torch.clamp,
        x(*IMAGE),
        within(-3, -1, *IMAGE),
        within(1, 3, *IMAGE),
        min="tensor",
        max="tensor",
    )
    yield case(both("clamp"), lambda a: a.clamp(0, 10), ints(-50, 50, *IMAGE), dtype="int64")


def _ternary() -> Iterator[Case]:
    for rank in (1, 2, 3, 4, 5, 6):
        shape = RANKS[rank]
        yield case(both("where"), torch.where, mask(*shape), x(*shape), x(*shape), rank=rank)
    yield case(both("where"), lambda m, a: torch.where(m, a, 0.5), mask(*IMAGE), x(*IMAGE), other="scalar")
    yield case(both("where"), torch.where, mask(1, 1, 10, 12), x(*IMAGE), x(1), label="broadcast")
    yield case(both("where"), torch.where, mask(*IMAGE), *(ints(-9, 9, *IMAGE),) * 2, dtype="int64")
    yield case(both("lerp"), lambda a, b: torch.lerp(a, b, 0.3), x(*IMAGE), x(*IMAGE), weight="scalar")
    yield case(both("lerp"), torch.lerp, x(*IMAGE), x(*IMAGE), within(0, 1, *IMAGE), weight="tensor")
    yield case(both("addcmul"), lambda a, b, c: torch.addcmul(a, b, c, value=0.5), *(x(*IMAGE),) * 3)
    yield case(
        both("addcdiv"), lambda a, b, c: torch.addcdiv(a, b, c, value=0.5), x(*IMAGE), x(*IMAGE), within(0.5, 3, *IMAGE)
    )
    for value in ("number", "-inf"):
        filler = float("-inf") if value == "-inf" else -1.5
        names = [*both("masked_fill"), "torch.Tensor.masked_fill_"]
        yield case(names, lambda a, m, v=filler: a.masked_fill(m, v), x(*IMAGE), mask(*IMAGE), value=value)
    yield case("torch.fill torch.Tensor.fill_", lambda a: torch.fill(a, 0.5) + a, x(*IMAGE))


def _casts() -> Iterator[Case]:
    names = {
        torch.float16: "T.half T.to T.type",
        torch.int32: "T.int T.to T.type",
        torch.int64: "T.long T.to T.type",
        torch.bool: "T.bool T.to T.type",
        torch.uint8: "T.byte T.to T.type",
        torch.int8: "T.char T.to T.type",
        torch.float64: "T.double T.to T.type",
        torch.bfloat16: "T.bfloat16 T.to T.type",
    }
    for dtype, operators in names.items():
        text = str(dtype).removeprefix("torch.")
        low, high = (0, 100) if dtype is torch.uint8 else (-100, 100)
        yield case(
            f"T.to {operators}",
            lambda a, dtype=dtype: a.to(dtype).to(torch.float32),
            within(low, high, *IMAGE),
            dtype=text,
            label="and back",
        )
    for source in ("int32", "int64", "uint8"):
        yield case("T.float T.to T.type", lambda a: a.float(), ints(0, 100, *IMAGE, dtype=source), dtype=source)
    yield case("T.float T.to T.type", lambda a: a.float(), mask(*IMAGE), dtype="bool")
    yield case(
        "T.float T.to T.type",
        lambda a: a.float() * 0.5,
        ints(60_000, 70_000, *IMAGE),
        dtype="int64",
        label="above 65504",
    )
    yield case("T.type_as", lambda a, b: a.type_as(b), ints(0, 100, *IMAGE), x(*IMAGE), label="int64 to float32")
