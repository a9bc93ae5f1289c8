"""PyTorch's names, each by the one that its documentation has."""

from __future__ import annotations

_PREFIXES = (("torch.functional.", "torch."), ("torchvision.ops.boxes.", "torchvision.ops."))
MODULE_TYPES = frozenset({"torch.nn.Module", "lightning.LightningModule", "pytorch_lightning.LightningModule"})
TENSOR_TYPES = frozenset({"torch.Tensor", "torch.FloatTensor", "torch.HalfTensor"})


def canonical(name: str) -> str:
    """``torch.nn.modules.pooling.MaxPool3d`` -> ``torch.nn.MaxPool3d``."""
    if name.startswith("torch.nn.modules."):
        last = name.rpartition(".")[2]
        return f"torch.nn.{last}" if last[:1].isupper() else name
    for long, short in _PREFIXES:
        if name.startswith(long):
            return short + name.removeprefix(long)
    return name


def is_class(name: str) -> bool:
    """Whether a qualified name is that of a class, by its spelling."""
    return name.rpartition(".")[2][:1].isupper()
