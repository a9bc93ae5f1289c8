"""Capture a model that exists in this process: a training script's, or that of a notebook cell.

Only here does capture run outside a worker. The model is the caller's own and has run in this process before, and
nothing else can give its state and its source at once: a class of ``__main__`` or of a notebook cell has no file that
another process could import, and pickles execute what they contain. What leaves the process is data: an ONNX graph,
arrays, and a map of nodes to source lines.
"""

from __future__ import annotations

import copy
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
import torch._export.utils as export_utils
from torch.utils import _pytree as pytree

from aipc.core import plain_data
from aipc.core.config import ModelRef
from aipc.core.errors import InputError
from aipc.core.types import Event

from .arguments import OF_THE_CALL, Inputs, parameter_names
from .capture_on_disk import RESULT
from .capture_result import CaptureResult
from .jobs import capture_loaded
from .load import LoadedModel, seed_everything
from .recorder import ConstructionRecorder, Stack, stack_outside
from .spec import as_arguments, is_shape, tensor_from
from .tables import keep_composite_operator_list

_LOCK = threading.Lock()
_HALVES = (torch.float16, torch.bfloat16)


def capture_live(
    report: Callable[[Event], None], model: torch.nn.Module, example_inputs: Any, directory: Path, name: str
) -> CaptureResult:
    """Capture a copy of ``model`` into ``directory``: in evaluation mode, in fp32, on the CPU.

    The model itself, PyTorch's settings and the random number generators stay as they are.

    Args:
        example_inputs: a tensor, a tuple or list for the arguments of forward, a dict by their names, or None to take
            the model's own ``example_inputs()``, else to infer them. A text is a shape: ``float32[1,3,224,224]``.

    Raises:
        InputError: the model cannot be copied, there are no example inputs, or forward raises on them.
    """
    with _LOCK, _unchanged_process():
        seed_everything()
        module = _copy(_unwrapped(model)).eval().requires_grad_(False)
        inputs = None if example_inputs is None else _arguments(module, example_inputs)
        ref = ModelRef(name, "captured", directory, None, None, None, directory)
        loaded = LoadedModel(module, ref, module, _CallSite(sys._getframe(1)))
        result = capture_loaded(report, loaded, directory, inputs)
        if not result.ok:
            again = capture_loaded(report, loaded, directory, inputs, strategy="two-traces")
            result = again if again.ok else result
    (directory / RESULT).write_text(plain_data.dumps(result), "utf-8")
    return result


class _CallSite(ConstructionRecorder):
    """Where PyTorch's own modules, used without code of the author's, are shown: at the call that captures them."""

    def __init__(self, frame: FrameType | None) -> None:
        super().__init__()
        self._stack = stack_outside(frame)

    def stack(self, module: torch.nn.Module) -> Stack:
        return self._stack


def _unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The module inside ``torch.compile``, ``DataParallel`` and ``DistributedDataParallel``."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
            inner = model.module
        if not isinstance(inner, torch.nn.Module):
            return model
        model = inner


def _copy(model: torch.nn.Module) -> torch.nn.Module:
    memo: dict[int, Any] = {}
    for part in model.modules():
        for value in vars(part).values():
            # Activations that a training step left on a module: PyTorch does not copy tensors with a history.
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    try:
        module = copy.deepcopy(model, memo).cpu()
    except Exception as error:
        raise InputError(
            f"{type(model).__name__} cannot be copied: {type(error).__name__}: {error}",
            remedy="give the inner module, without trainers, loaders and open files",
        ) from error
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dtype in _HALVES:
            tensor.data = tensor.data.float()
    return module


def _arguments(module: torch.nn.Module, example_inputs: Any) -> Inputs:
    if isinstance(example_inputs, str):
        example_inputs = (example_inputs,)
    args, kwargs = as_arguments(example_inputs, "example_inputs")
    args, kwargs = pytree.tree_map(_plain, (args, kwargs))
    unknown = [name for name in kwargs if (names := parameter_names(module)) and name not in names]
    if unknown:
        raise InputError(
            f"forward has no argument {unknown[0]!r}", remedy=f"its arguments are {', '.join(parameter_names(module))}"
        )
    if list(kwargs) == parameter_names(module)[: len(kwargs)]:
        args, kwargs = (*args, *kwargs.values()), {}
    return Inputs(args, kwargs, OF_THE_CALL)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        if not is_shape(value):
            raise InputError(f"{value!r} is not a shape", remedy="give a tensor, or for example float32[1,3,224,224]")
        return tensor_from(value, dims={})
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, torch.Tensor):
        tensor = value.detach().cpu().clone()
        return tensor.float() if tensor.dtype in _HALVES else tensor
    return value


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Leave PyTorch's settings and the random number generators as they were before the block."""
    saved = export_utils._collect_all_valid_cia_ops, torch.fx.config.do_not_emit_stack_traces
    numbers: tuple[Any, Any] = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count())
    try:
        with torch.random.fork_rng(devices), torch.inference_mode(False):
            yield
    finally:
        export_utils._collect_all_valid_cia_ops, torch.fx.config.do_not_emit_stack_traces = saved
        keep_composite_operator_list.cache_clear()
        random.setstate(numbers[0])
        np.random.set_state(numbers[1])
