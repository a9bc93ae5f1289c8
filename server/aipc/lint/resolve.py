"""Names of Python, decorators and base classes that change nothing, and methods that are not a tensor's alone."""

from __future__ import annotations

import builtins

_BUILTINS = frozenset(dir(builtins))


def builtin(name: str) -> str | None:
    return f"builtins.{name}" if name in _BUILTINS else None


HARMLESS_BASES = frozenset({"abc.ABC", "typing.Generic", "builtins.object", "typing.Protocol"})
HARMLESS_DECORATORS = frozenset(
    {
        *("torch.no_grad", "torch.inference_mode", "torch.enable_grad", "torch.autocast", "torch.compile"),
        *("typing.override", "typing_extensions.override", "abc.abstractmethod", "builtins.staticmethod"),
    }
)
ARRAY_METHODS = frozenset(
    {
        *("any", "all", "argmax", "argmin", "argsort", "astype", "byteswap", "choose", "clip", "compress", "conj"),
        *("conjugate", "copy", "count", "cumprod", "cumsum", "diagonal", "dot", "dump", "fill", "flatten", "get"),
        *("index", "item", "items", "keys", "values", "max", "mean", "min", "nonzero", "partition", "pop", "prod"),
        *("ptp", "put", "ravel", "repeat", "reshape", "resize", "round", "searchsorted", "sort", "split", "squeeze"),
        *("std", "sum", "swapaxes", "take", "tobytes", "tolist", "trace", "transpose", "var", "view", "replace"),
        *("format", "join", "add", "sub", "mul", "div", "where", "filter", "norm", "to", "float", "int", "bool"),
        *("long", "half", "type", "size", "dim", "cat", "apply", "map", "remove", "add_", "union", "difference"),
        *("matmul", "abs", "rotate", "scale", "crop", "flip", "pad", "expand", "clone", "detach"),
    }
)
"""Methods that things other than tensors commonly have."""
