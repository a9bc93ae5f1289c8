"""The best that fp16 can do: an execution of the same graph with every tensor correctly rounded to fp16.

A gate on the distance to fp32 alone cannot tell a wrong operator from a model that fp16 does not suit. So
the same ONNX graph is run on the CPU with every float tensor (inputs, weights, each node's outputs)
rounded to fp16 and each node computed in fp32 in between; its distance to plain fp32 is what a correct
fp16 processor would show.

The rounding is that of the HTP, not of IEEE 754: it has no infinity and no NaN. The exponent that IEEE
reserves for them holds ordinary numbers (steps of 64 from 65536 up), values saturate at 131008, and
infinities and NaN become 131008. Tensors that hold a size and not data (the scales of a Resize) are left
alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import metrics
from .stepper import Stepper, load

Array = np.ndarray[Any, Any]

FP16_MAX = 131008.0
"""The largest value of the HTP's fp16: (2 - 2**-10) * 2**16. Measured on the simulator, v73 to v79."""
_IEEE_MAX = 65504.0

# Operator -> positions of float inputs that are parameters of the compiler and never become fp16 tensors.
_PARAMETERS = {
    "Resize": (1, 2),
    "Upsample": (1,),
    "QuantizeLinear": (1,),
    "DequantizeLinear": (1,),
    "Range": (0, 1, 2),
}


def round_fp16(array: Array) -> Array:
    """The values of a float array rounded to the HTP's fp16 (half to even), in the array's own dtype.

    Infinities become +-131008 and NaN 131008. Other dtypes are returned as they are.
    """
    if array.dtype not in (np.float32, np.float64):
        return array
    with np.errstate(over="ignore"):
        rounded = array.astype(np.float16).astype(array.dtype)
    beyond = ~(np.abs(array) <= _IEEE_MAX)
    if bool(beyond.any()):
        large = np.nan_to_num(array[beyond], nan=FP16_MAX, posinf=FP16_MAX, neginf=-FP16_MAX)
        rounded[beyond] = np.clip(np.round(large / 64) * 64, -FP16_MAX, FP16_MAX)
    return np.asarray(rounded)


def run_ideal_fp16(stepper: Stepper, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Graph outputs of the correctly rounded fp16 execution, in the graph's own dtypes."""
    exempt = exact_tensors(stepper)
    return stepper.walk(inputs, store=lambda name, array: array if name in exempt else round_fp16(array))


def run_ieee_fp16(stepper: Stepper, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Graph outputs with every float tensor rounded to IEEE 754's fp16, which has infinities and NaN.

    Where this is right and ``run_ideal_fp16`` is not, an expression needs infinities that the NPU has not.
    """
    exempt = exact_tensors(stepper)
    with np.errstate(over="ignore", invalid="ignore"):
        return stepper.walk(inputs, store=lambda name, array: array if name in exempt else _round_ieee(array))


def _round_ieee(array: Array) -> Array:
    return array.astype(np.float16).astype(array.dtype) if array.dtype in (np.float32, np.float64) else array


def ideal_fp16_sqnr(model: str | Path, inputs: Mapping[str, Array]) -> dict[str, float]:
    """Graph output name -> SQNR in dB that a correctly rounded fp16 execution of the model has against fp32.

    Raises:
        ModelLoadError: the file is not a readable ONNX model.
        InputError: the inputs do not fit it.
        QairtError: onnxruntime's CPU provider cannot run one of its nodes.
    """
    stepper = Stepper(load(model))
    reference = stepper.walk(inputs)
    ideal = run_ideal_fp16(stepper, inputs)
    return {name: metrics.sqnr_db(value, ideal[name]) for name, value in reference.items()}


def exact_tensors(stepper: Stepper) -> frozenset[str]:
    """Tensors that hold parameters of an operator and not data: fp16 never touches them."""
    return frozenset(
        name
        for node in stepper.model.graph.node
        for position in _PARAMETERS.get(node.op_type, ())
        for name in node.input[position : position + 1]
        if name
    )
