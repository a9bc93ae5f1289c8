"""What a dotted name of an import stands for, by the name that the matrix knows it by."""

from __future__ import annotations

import builtins

_PREFIXES = (("torch.functional.", "torch."), ("torchvision.ops.boxes.", "torchvision.ops."))
_BUILTINS = frozenset(dir(builtins))


def canonical(name: str) -> str:
    """``torch.nn.modules.pooling.MaxPool3d`` -> ``torch.nn.MaxPool3d``."""
    if name.startswith("torch.nn.modules."):
        last = name.rpartition(".")[2]
        return f"torch.nn.{last}" if last[:1].isupper() else name
    for long, short in _PREFIXES:
        if name.startswith(long):
            return short + name.removeprefix(long)
    return name


def builtin(name: str) -> str | None:
    return f"builtins.{name}" if name in _BUILTINS else None


def is_class(name: str) -> bool:
    """Whether a qualified name is that of a class, by its spelling."""
    return name.rpartition(".")[2][:1].isupper()


TENSOR_TYPES = frozenset({"torch.Tensor", "torch.FloatTensor", "torch.HalfTensor"})
MODULE_TYPES = frozenset({"torch.nn.Module", "lightning.LightningModule", "pytorch_lightning.LightningModule"})
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
