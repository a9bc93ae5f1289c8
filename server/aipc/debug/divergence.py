"""Find where a whole graph first leaves fp32 on the simulator.

Only a few tensors are read in each session (see ``taps``), never one that a fusion would swallow, and the
interval between the last good and the first bad one is narrowed until nothing is left between them. A tensor
is judged as a package is: bad is below 40 dB and more than 6 dB farther from fp32 than ideal fp16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.debug.types import FirstDivergence
from aipc.numerics.metrics import sqnr_db
from aipc.numerics.node_verdict import IDEAL_MARGIN_DB, SQNR_GATE_DB
from aipc.numerics.stepper import Stepper, load, reads
from aipc.qairt.soc import SoC, get_soc

from .taps import ancestors, tap

Array = np.ndarray[Any, Any]

_TAPS = 6
_ACTIVATIONS = {
    *("BatchNormalization", "Clip", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu"),
    *("PRelu", "Relu", "Sigmoid", "Softplus", "Tanh"),
}
_PRODUCERS = {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization"}


def first_divergence(
    model: str | Path,
    inputs: Mapping[str, Array],
    soc: str,
    *,
    gate_db: float = SQNR_GATE_DB,
    margin_db: float = IDEAL_MARGIN_DB,
) -> FirstDivergence | None:
    """The first node of the whole graph that is out of tolerance on the simulator; None when no tap is.

    Args:
        model: ONNX file with unique node names; not a compiled one.
        inputs: one array for each graph input.
        gate_db: a tensor with at least this SQNR is good.
        margin_db: so is one whose SQNR is at most this far below that of correctly rounded fp16.

    Raises:
        ModelLoadError, InputError, UnknownSoCError; QairtError when the graph cannot run.
    """
    chip = get_soc(soc)
    stepper = Stepper(load(model))
    taps = tappable(stepper)
    good, bad = -1, len(taps)
    figures: dict[str, tuple[float, float]] = {}
    while bad - good > 1:
        last = min(bad, len(taps) - 1)
        picked = sorted({int(i) for i in np.linspace(good, last, _TAPS + 1).round()} - {good, bad})
        if not picked:
            break
        names = [taps[i] for i in picked]
        for name, value in _measure(stepper, names, inputs, chip).items():
            figures[name] = value
        wrong = [i for i in picked if _is_bad(figures[taps[i]], gate_db, margin_db)]
        if not wrong:
            if bad == len(taps):
                return None
            good = picked[-1]
            continue
        bad = wrong[0]
        good = max([good, *(i for i in picked if i < bad)])
    if bad == len(taps):
        return None
    order = {name: node.name for node in stepper.model.graph.node for name in node.output}
    nodes = [node.name for node in stepper.model.graph.node]
    culprit = order[taps[bad]]
    before = order[taps[good]] if good >= 0 else ""
    start = nodes.index(before) + (before != culprit) if before else 0
    needed = ancestors(stepper.model, [taps[bad]])
    sqnr, ideal = figures[taps[bad]]
    return FirstDivergence(
        node=culprit,
        tensor=taps[bad],
        sqnr_db=sqnr,
        ideal_fp16_sqnr_db=ideal,
        last_good=before,
        candidates=tuple(name for name in nodes[start : nodes.index(culprit) + 1] if name in needed),
    )


def tappable(stepper: Stepper) -> list[str]:
    """Float tensors that can be read without breaking a fusion, in graph order."""
    graph = stepper.model.graph
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in reads(node):
            readers.setdefault(name, []).append(node)
    ends = {output.name for output in graph.output}
    constants = set(stepper.constants)
    names = []
    for node in graph.node:
        if all(name in constants for name in reads(node)):
            constants.update(node.output)
            continue
        for name in node.output:
            if name and (name in ends or not _swallowed(node, readers.get(name, []))):
                names.append(name)
    return names


def _swallowed(node: onnx.NodeProto, readers: Sequence[onnx.NodeProto]) -> bool:
    if not readers:
        return True
    kinds = {reader.op_type for reader in readers}
    if node.op_type in _PRODUCERS:
        return kinds <= _ACTIVATIONS or (kinds <= _ACTIVATIONS | {"Mul"} and bool(kinds & _ACTIVATIONS))
    return node.op_type in {"Sigmoid", "HardSigmoid"} and kinds == {"Mul"}


def _is_bad(figures: tuple[float, float], gate_db: float, margin_db: float) -> bool:
    sqnr, ideal = figures
    return not (sqnr >= gate_db or sqnr >= ideal - margin_db)


def _measure(
    stepper: Stepper, names: Sequence[str], inputs: Mapping[str, Array], soc: SoC
) -> dict[str, tuple[float, float]]:
    """Tensor name -> (SQNR on the simulator, SQNR of correctly rounded fp16)."""
    tapped = tap(stepper, names, inputs, soc)
    return {
        name: (sqnr_db(value.true, value.actual), sqnr_db(value.true, value.ideal)) for name, value in tapped.items()
    }
