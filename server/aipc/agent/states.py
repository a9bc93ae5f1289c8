"""States that a module gets into outside: another checkpoint, training mode, gradients, many calls.

A rewrite that is equal only as the module was built (weights folded into a buffer, a counter of calls) differs here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch

Array = np.ndarray[Any, Any]
Outputs = Mapping[str, Array]
Call = Callable[[torch.nn.Module], Outputs]

_CALLS = 6


def state_outputs(module: torch.nn.Module, call: Call) -> dict[str, Outputs]:
    """State -> outputs on the example inputs. The module is left as it was; a state that raises is left out.

    Args:
        call: runs the module on the example inputs, with gradients where they are switched on.
    """
    copies = {name: value.clone() for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)}
    outputs: dict[str, Outputs] = {}
    for name, run in (
        ("repeated", _repeated),
        ("gradients", _with_gradients),
        ("training", _in_training),
        ("weights", _with_other_weights),
    ):
        with suppress(Exception), torch.no_grad():
            outputs[name] = run(module, call)
        module.eval().requires_grad_(False)
        with suppress(Exception):
            module.load_state_dict(copies, strict=False)
    return outputs


def _repeated(module: torch.nn.Module, call: Call) -> Outputs:
    for _ in range(_CALLS - 1):
        call(module)
    return call(module)


def _with_gradients(module: torch.nn.Module, call: Call) -> Outputs:
    module.requires_grad_(True)
    with torch.enable_grad():
        return call(module)


def _in_training(module: torch.nn.Module, call: Call) -> Outputs:
    module.train()
    outputs = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        outputs.append(call(module))
    if any(not np.array_equal(outputs[0][name], value, equal_nan=True) for name, value in outputs[1].items()):
        raise ValueError("training draws random numbers or changes the state: there is nothing to compare")
    return outputs[0]


def _with_other_weights(module: torch.nn.Module, call: Call) -> Outputs:
    """Every weight changed by about a tenth, in a way that depends on its name and shape alone."""
    state = {}
    for name, value in module.state_dict().items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            noise = torch.randn(value.shape, generator=generator).to(value.dtype)
            state[name] = value * (1 + 0.1 * noise.clamp(-2, 2))
        else:
            state[name] = value
    module.load_state_dict(state)
    return call(module)
