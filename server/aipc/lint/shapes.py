"""What an operator returns: whether a tensor, of which rank and dtype, as far as the text says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .einsum import output_rank
from .values import UNKNOWN, Arguments, Constant, Each, Items, Tensor, Value, plain

_NOT_TENSORS = {
    *("size", "dim", "numel", "item", "tolist", "equal", "allclose", "ndimension", "nelement", "stride", "storage"),
    *("get_device", "data_ptr", "element_size", "numpy", "is_nonzero", "broadcast_shapes", "result_type", "type"),
}
_PAIRS = {"topk", "sort", "kthvalue", "mode", "cummax", "cummin", "aminmax", "slogdet", "eigh", "qr", "frexp"}
_TRIPLES = {"svd"}
_SEVERAL = {"split", "chunk", "unbind", "tensor_split", "meshgrid", "hsplit", "vsplit", "dsplit", "split_with_sizes"}
_BOOLEAN = {
    *("eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "logical_not", "logical_and", "logical_or"),
    *("logical_xor", "isclose", "greater", "less", "greater_equal", "less_equal", "not_equal", "isin", "any", "all"),
}
_INTEGER = {"argmax", "argmin", "argsort", "nonzero", "bucketize", "searchsorted", "count_nonzero"}
_CASTS = {"float": "float32", "int": "int32", "long": "int64", "bool": "bool", "half": "float16", "double": "float64"}
_REDUCTIONS = {
    *("sum", "mean", "amax", "amin", "prod", "std", "var", "logsumexp", "any", "all", "argmax", "argmin", "nansum"),
    *("nanmean", "norm", "median", "vector_norm", "max", "min"),
}
_SAME = {
    *("relu", "relu6", "sigmoid", "tanh", "gelu", "silu", "mish", "elu", "leaky_relu", "hardswish", "softplus", "celu"),
    *("softmax", "log_softmax", "softmin", "abs", "exp", "log", "sqrt", "rsqrt", "neg", "sin", "cos", "floor", "ceil"),
    *(
        "round",
        "clamp",
        "erf",
        "pow",
        "square",
        "sign",
        "reciprocal",
        "layer_norm",
        "batch_norm",
        "group_norm",
        "clone",
    ),
    *(
        "dropout",
        "contiguous",
        "detach",
        "pad",
        "interpolate",
        "upsample",
        "normalize",
        "cumsum",
        "flip",
        "roll",
        "tril",
    ),
    *("triu", "masked_fill", "to", "type_as", "add", "sub", "mul", "div", "transpose", "swapaxes", "swapdims", "where"),
    *("hardsigmoid", "hardtanh", "softsign", "logsigmoid", "prelu", "selu", "instance_norm", "rms_norm", "conv1d"),
    *("conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "max_pool1d", "max_pool2d"),
    *("max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "linear"),
    *("adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d", "grid_sample"),
    *("cat", "concat", "concatenate", "nan_to_num", "gather", "scatter", "scatter_add", "scatter_reduce", "cumprod"),
    *(
        "isnan",
        "isinf",
        "isfinite",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "asinh",
        "acosh",
        "atanh",
        "log1p",
        "expm1",
    ),
}
_CREATED = {"randn", "rand", "zeros", "ones", "empty", "full", "randint", "eye", "arange", "linspace"}
KEEPS_VALUE = {"contiguous", "clone", "detach", "dropout", "identity", "to", "float", "half"}
"""Operators that leave no trace in the graph, or none that matters to what comes next."""
RESHAPES = {"reshape", "view", "flatten", "unflatten", "squeeze", "view_as", "reshape_as", "rearrange", "ravel"}


def short_name(operator: str) -> str:
    """``torch.nn.MaxPool3d`` -> ``max_pool3d``: modules and functions of one kind have one name."""
    last = operator.rpartition(".")[2]
    if not operator.startswith("torch.nn.") or operator.startswith("torch.nn.functional."):
        return last.rstrip("_") if not last.startswith("__") else last
    return _MODULES.get(last, _snake(last))


_MODULES = {
    **{
        f"{kind}Pad{n}d": "pad"
        for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
        for n in (1, 2, 3)
    },
    **{f"{name}{n}d": f"{other}{n}d" for n in (1, 2, 3) for name, other in (("Conv", "conv"), ("MaxPool", "max_pool"))},
    **{f"ConvTranspose{n}d": f"conv_transpose{n}d" for n in (1, 2, 3)},
    **{f"AvgPool{n}d": f"avg_pool{n}d" for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": f"adaptive_avg_pool{n}d" for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": f"adaptive_max_pool{n}d" for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": "batch_norm" for n in (1, 2, 3)},
    **{f"InstanceNorm{n}d": "instance_norm" for n in (1, 2, 3)},
    "LayerNorm": "layer_norm",
    "GroupNorm": "group_norm",
    "RMSNorm": "rms_norm",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "GELU": "gelu",
    "SiLU": "silu",
    "ELU": "elu",
    "CELU": "celu",
    "SELU": "selu",
    "PReLU": "prelu",
    "LeakyReLU": "leaky_relu",
    "LogSoftmax": "log_softmax",
    "LogSigmoid": "logsigmoid",
    "Dropout2d": "dropout",
    "Upsample": "interpolate",
}


def _snake(name: str) -> str:
    return name.lower()


def result(operator: str, arguments: Arguments, first: Value, inputs: tuple[Tensor, ...]) -> Value:
    """The value of a call of ``operator``."""
    name = short_name(operator)
    if name in _NOT_TENSORS or name.startswith("is_"):
        return Constant(first.rank) if name == "dim" and isinstance(first, Tensor) and first.rank else UNKNOWN
    varies = any(item.varies for item in inputs)
    known = {key: plain(value) for key, value in arguments.values.items()}
    rank = _rank(name, {**arguments.defaults, **known}, first, inputs)
    one = Tensor(rank, _dtype(name, known, first), True, varies, operator)
    if name in _PAIRS or (name in ("max", "min", "median") and "dim" in known and known["dim"] is not UNKNOWN):
        return Items((one, Tensor(rank, "int64", True, varies, operator)))
    if name in _TRIPLES:
        return Items((one, one, one))
    if name in _SEVERAL:
        return Each((one,))
    if name in ("lstm", "gru", "rnn", "multiheadattention", "multihead_attn"):
        return Items((one, UNKNOWN))
    return one


def _dtype(name: str, known: Mapping[str, Any], first: Value) -> str | None:
    if name in _BOOLEAN:
        return "bool"
    if name in _INTEGER:
        return "int64"
    if name in _CASTS:
        return _CASTS[name]
    if "dtype" in known:
        return None
    if name in _CREATED:
        return {"randint": "int64", "arange": None, "full": None}.get(name, "float32")
    return (
        first.dtype if isinstance(first, Tensor) and (name in _SAME or name in RESHAPES or name == "permute") else None
    )


def _rank(name: str, known: Mapping[str, Any], first: Value, inputs: tuple[Tensor, ...]) -> int | None:
    if name in _CREATED:
        return _created_rank(name, known)
    own = first.rank if isinstance(first, Tensor) else None
    if name in ("add", "sub", "mul", "div", "where", "pow"):
        ranks = [item.rank for item in inputs]
        return max((rank for rank in ranks if rank is not None), default=None) if None not in ranks else None
    if name in _REDUCTIONS:
        return _reduced_rank(known, own)
    if name in _SAME:
        return own
    if name in ("permute", "reshape", "view", "expand"):
        sizes = known.get("dims", known.get("shape", known.get("size")))
        return len(sizes) if isinstance(sizes, tuple) else None
    if name in ("unsqueeze", "stack"):
        return None if own is None else own + 1
    if name == "einsum":
        equation = known.get("equation")
        return output_rank(equation) if isinstance(equation, str) else None
    if name in ("matmul", "__matmul__", "bmm", "mm"):
        ranks = [item.rank for item in inputs]
        return max(rank or 0 for rank in ranks) if ranks and all(rank and rank > 1 for rank in ranks) else None
    return own if name in KEEPS_VALUE else None


def _created_rank(name: str, known: Mapping[str, Any]) -> int | None:
    if name in ("arange", "linspace"):
        return 1
    if name == "eye":
        return 2
    size = known.get("size")
    return len(size) if isinstance(size, tuple) else None


def _reduced_rank(known: Mapping[str, Any], own: int | None) -> int | None:
    dim, keep = known.get("dim"), known.get("keepdim", False)
    if own is None or dim is UNKNOWN or keep is UNKNOWN:
        return None
    if keep:
        return own
    if dim is None:
        return 0
    return own - (len(dim) if isinstance(dim, tuple) else 1)
