"""Models of quantization-aware training: their fake quantization with the scales that training left.

In training an observer follows the ranges, and in evaluation too unless it is switched off. What is deployed has the
scales as they are: the observers are off, and each fake quantization is PyTorch's operator with fixed numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.ao.quantization.fx._decomposed  # registers torch.ops.quantized_decomposed
from torch import Tensor

aten = torch.ops.aten

_MODULES = ("torch.ao.quantization.fake_quantize", "torchao.quantization.pt2e.fake_quantize")
_BYTES = ((0, 255), (-128, 127))
_WORDS = {(0, 65535): torch.uint16, (-32768, 32767): torch.int16}
"""Ranges of integers that have a type of their own."""


def evaluation_mode(module: torch.nn.Module) -> None:
    """Put ``module`` into evaluation mode, one of PyTorch's exported modules too, with fixed fake quantization."""
    try:
        module.eval()
    except NotImplementedError:  # exported modules have no modes; those of pt2e are changed by torchao
        for child in module.modules():
            child.training = False
        if isinstance(module, torch.fx.GraphModule) and "torchao" in sys.modules:
            from torchao.quantization.pt2e import move_exported_model_to_eval

            move_exported_model_to_eval(module)
    module.requires_grad_(False)
    bases = tuple(base for name in _MODULES if (base := getattr(sys.modules.get(name), "FakeQuantizeBase", None)))
    for child in module.modules():
        if isinstance(child, bases):
            _fix(child)


def _fix(module: Any) -> None:
    """Switch the observer off, and let ``forward`` be the operator alone."""
    if hasattr(module, "observer_enabled"):
        module.observer_enabled.zero_()
    if not all(
        hasattr(module, name) for name in ("scale", "zero_point", "fake_quant_enabled", "quant_min", "quant_max")
    ):
        return
    scale, zero = module.scale, module.zero_point
    low, high = int(module.quant_min), int(module.quant_max)
    if not isinstance(scale, Tensor) or not isinstance(zero, Tensor) or zero.is_floating_point():
        return
    if not int(module.fake_quant_enabled[0]):
        module.forward = lambda x: x
    elif getattr(module, "is_per_channel", False):
        axis = int(module.ch_axis)
        module.forward = lambda x: torch.fake_quantize_per_channel_affine(x, scale, zero, axis, low, high)
    else:
        step, middle = float(scale.reshape(-1)[0]), int(zero.reshape(-1)[0])
        module.forward = lambda x: torch.fake_quantize_per_tensor_affine(x, step, middle, low, high)


def _per_tensor(x: Tensor, scale: Any, zero: Any, low: int, high: int) -> Any:
    """With the range of a whole type, which ONNX has a form of; what that has beyond the range is cut off before."""
    ends = _whole(low, high)
    if ends is None or ((low, high) == ends and ends in _BYTES):
        return NotImplemented
    if ends != (low, high):
        x = torch.clamp(x, (low - zero) * scale, (high - zero) * scale)
    if ends in _BYTES:
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, *ends)
    if isinstance(scale, Tensor):
        return NotImplemented
    arguments = (scale, zero, *ends, _WORDS[ends])
    integers = torch.ops.quantized_decomposed.quantize_per_tensor.default(x, *arguments)
    return torch.ops.quantized_decomposed.dequantize_per_tensor.default(integers, *arguments)


def _per_channel(x: Tensor, scale: Tensor, zero: Tensor, axis: int, low: int, high: int) -> Any:
    ends = _whole(low, high)
    if ends not in _BYTES or ends == (low, high):
        return NotImplemented
    shape = [1] * x.dim()
    shape[axis] = -1
    x = torch.clamp(x, ((low - zero) * scale).reshape(shape), ((high - zero) * scale).reshape(shape))
    return torch.fake_quantize_per_channel_affine(x, scale, zero, axis, *ends)


def _whole(low: int, high: int) -> tuple[int, int] | None:
    """The range of the smallest type that holds this one."""
    return next((ends for ends in (*_BYTES, *_WORDS) if ends[0] <= low and high <= ends[1]), None)


TABLE: dict[Any, Callable[..., Any]] = {
    aten.fake_quantize_per_tensor_affine.default: _per_tensor,
    aten.fake_quantize_per_tensor_affine.tensor_qparams: _per_tensor,
    aten.fake_quantize_per_channel_affine.default: _per_channel,
}
