"""Read what a quantized graph really stores: the outputs of its QuantizeLinear nodes, in the simulator.

They are tensors that exist in the package's own memory, so reading them breaks no fusion; that the final outputs stay
equal, bit for bit, is checked by the caller all the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from aipc.core.errors import QairtError
from aipc.qairt.session import open_session
from aipc.qairt.soc import SoC

Array = np.ndarray[Any, Any]

_LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
"""Their weights are integers where they compute in integers."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A float tensor as the quantized graph stores it: real = (integer - zero_point) * scale."""

    tensor: str
    """Its name in the float graph."""
    integers: str
    """The QuantizeLinear output that holds it."""
    scale: float
    zero_point: int
    dtype: int
    """ONNX element type."""

    def real(self, integers: Array) -> Array:
        """The real numbers of ``integers``: float32 in the same shape."""
        return ((integers.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)).astype(np.float32)


def stored_tensors(quantized: onnx.ModelProto, names: Collection[str]) -> dict[str, Stored]:
    """The float tensors ``names`` that ``quantized`` stores with one scale each, in its graph order.

    A tensor that is converted to a second width is read in its first.
    """
    constants = {tensor.name: tensor for tensor in quantized.graph.initializer}
    tensors: dict[str, Stored] = {}
    for node in quantized.graph.node:
        if node.op_type != "QuantizeLinear" or node.input[0] not in names or node.input[0] in tensors:
            continue
        scale = constants.get(node.input[1])
        zero = constants.get(node.input[2]) if len(node.input) > 2 else None
        if scale is None or zero is None:
            continue
        scales, zeros = numpy_helper.to_array(scale), numpy_helper.to_array(zero)
        if scales.size == 1:
            tensors[node.input[0]] = Stored(
                node.input[0], node.output[0], float(scales.ravel()[0]), int(zeros.ravel()[0]), zero.data_type
            )
    return tensors


def island_exits(quantized: onnx.ModelProto) -> frozenset[str]:
    """Float tensors that a node in floating point makes and a QuantizeLinear turns into integers."""
    constants = {tensor.name for tensor in quantized.graph.initializer}
    makers = {name: node for node in quantized.graph.node for name in node.output}

    def in_float(name: str) -> bool:
        maker = makers.get(name)
        if maker is None or maker.op_type == "DequantizeLinear":
            return False
        producers = [makers.get(item) for item in maker.input if item not in constants]
        activations = any(item is not None and item.op_type != "DequantizeLinear" for item in producers)
        return activations or (maker.op_type in _LAYERS and maker.input[1] in constants)

    return frozenset(
        node.input[0] for node in quantized.graph.node if node.op_type == "QuantizeLinear" and in_float(node.input[0])
    )


def read_stored(
    quantized: onnx.ModelProto, stored: Sequence[Stored], inputs: Mapping[str, Array], soc: SoC
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run ``quantized`` on the simulator: (float tensor -> its real values, graph output -> array).

    The exits of islands in fp16 are read in a run of their own: beside what is computed from them the simulator writes
    an exit's integers somewhere else (a product of 40 x 4096 at 8 bits, QAIRT 2.51), and damages its own memory.

    Raises:
        QairtError: the graph cannot be compiled or run.
    """
    exits = island_exits(quantized)
    values, outputs = _read(quantized, [item for item in stored if item.tensor not in exits], inputs, soc)
    if apart := [item for item in stored if item.tensor in exits]:
        values |= _read(quantized, apart, inputs, soc)[0]
    return {item.tensor: values[item.tensor] for item in stored}, outputs


def _read(
    quantized: onnx.ModelProto, stored: Sequence[Stored], inputs: Mapping[str, Array], soc: SoC
) -> tuple[dict[str, Array], dict[str, Array]]:
    ends = [output.name for output in quantized.graph.output]
    taps = list(dict.fromkeys(item.integers for item in stored if item.integers not in ends))
    kinds = {item.integers: item.dtype for item in stored}
    tapped = onnx.ModelProto()
    tapped.CopyFrom(quantized)
    tapped.graph.output.extend(helper.make_tensor_value_info(name, kinds[name], None) for name in taps)
    with tempfile.TemporaryDirectory(prefix="aipc-taps-") as directory:
        path = Path(directory) / "tapped.onnx"
        onnx.save(tapped, path)
        try:
            session = open_session(path, soc, verbose=False)
            feeds = {value.name: inputs[value.name] for value in session.get_inputs()}
            values = dict(zip((*ends, *taps), session.run([*ends, *taps], feeds), strict=True))
        except Exception as error:
            raise QairtError("the simulator cannot run the tapped graph", detail=str(error)) from error
    outputs = {name: np.asarray(values[name]) for name in ends}
    return {item.tensor: item.real(np.asarray(values[item.integers])) for item in stored}, outputs
