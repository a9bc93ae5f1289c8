"""What every export needs and no model changes: the ONNX registry and the decompositions, made once a process."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.export.exported_program import _split_decomp_table_to_cia_and_python_decomp
from torch.onnx._internal.exporter import _decomp, _registration

from .attention import TABLE as ATTENTION
from .complex_numbers import TABLE as COMPLEX
from .decompositions import TABLE as OPERATORS
from .fake_quantization import TABLE as FAKE_QUANTIZATION
from .forms import TABLE as FORMS
from .matrices import TABLE as MATRICES

Table = dict[Any, Callable[..., Any]]


def registry() -> _registration.ONNXRegistry:
    return _registry("torchvision" in sys.modules)


@functools.lru_cache(maxsize=2)
def _registry(with_torchvision: bool) -> _registration.ONNXRegistry:
    # The lowerings of torchvision's operators are registered only when its operators exist.
    return _registration.ONNXRegistry.from_torchlib()


def decompositions() -> tuple[Table, Table]:
    """Decompositions of composite operators, and of all others that have no ONNX lowering of their own."""
    return _decompositions("torchvision" in sys.modules)


@functools.lru_cache(maxsize=2)
def _decompositions(with_torchvision: bool) -> tuple[Table, Table]:
    lowered = set(_decomp.get_onnx_implemented_overloads(registry()))
    table = _decomp.create_onnx_friendly_decomposition_table(lowered)
    composite, other = _split_decomp_table_to_cia_and_python_decomp(
        dict[Any, Any](table) | COMPLEX | OPERATORS | FORMS | MATRICES | ATTENTION | FAKE_QUANTIZATION
    )
    return composite, other


@functools.lru_cache(maxsize=1)
def keep_composite_operator_list() -> None:
    """PyTorch lists every composite operator anew for each export; the list does not change."""
    import torch._export.utils as utils

    utils._collect_all_valid_cia_ops = functools.lru_cache(maxsize=1)(utils._collect_all_valid_cia_ops)
    torch.fx.config.do_not_emit_stack_traces = True
