"""How far every inner tensor of a compiled graph is from fp32, without changing what is fused.

Only tensors that no fusion swallows are read (see ``divergence.tappable``). A reading that changed the graph would
change its outputs: they are compared with those of the package, and a difference is reported, not hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from aipc.core.types import Event

from .divergence import tappable
from .metrics import sqnr_db
from .package_jobs import read_npz
from .results import NodeAccuracy, NodeError
from .soc import get_soc
from .stepwise import Stepper, load
from .taps import Tapped, tap

_MAX_BYTES = 600 << 20
"""Of fp32 tensors that are read in one session; there are three copies of each."""


def node_accuracy(
    report: Callable[[Event], None], *, model: str, inputs_npz: str, soc: str, outputs_npz: str | None = None
) -> NodeAccuracy:
    """Error of each readable node of ``model`` on the simulator of ``soc``, given the example inputs.

    Args:
        model: the captured ONNX graph. A node that runs on the CPU is measured as well.
        outputs_npz: what the package gave for these inputs, to tell whether reading changed the graph.

    Raises:
        QairtError: the graph cannot run.
    """
    chip, inputs = get_soc(soc), read_npz(inputs_npz)
    stepper = Stepper(load(model))
    makers = {name: node.name for node in stepper.model.graph.node for name in node.output}
    ends = [output.name for output in stepper.model.graph.output]
    names = [name for name in tappable(stepper) if name not in ends]
    nodes: dict[str, NodeError] = {}
    unchanged = None
    groups = _groups(stepper, names, inputs)
    for number, group in enumerate(groups):
        report(Event("accuracy", f"reading {len(group)} tensors", number / len(groups)))
        tapped = tap(stepper, [*group, *ends], inputs, chip)
        for name, value in tapped.items():
            if name in makers and (error := _error(value)):
                nodes[makers[name]] = error
        if outputs_npz is not None and unchanged is not False:
            plain = read_npz(outputs_npz)
            unchanged = all(np.array_equal(plain[name], tapped[name].actual) for name in ends if name in plain)
    return NodeAccuracy(nodes, unchanged)


def _error(value: Tapped) -> NodeError | None:
    if value.true.dtype.kind != "f" or not value.true.size:
        return None
    return NodeError(sqnr_db(value.true, value.actual), sqnr_db(value.true, value.ideal))


def _groups(stepper: Stepper, names: Sequence[str], inputs: Any) -> list[list[str]]:
    """Tensors that fit into memory together, in graph order."""
    wanted, sizes = set(names), dict[str, int]()

    def visit(node: Any, arguments: Any, results: Any) -> None:
        sizes.update({name: array.nbytes for name, array in results.items() if name in wanted})

    stepper.walk(inputs, visit=visit)
    groups: list[list[str]] = [[]]
    used = 0
    for name in names:
        if groups[-1] and used + sizes[name] > _MAX_BYTES:
            groups.append([])
            used = 0
        groups[-1].append(name)
        used += sizes[name]
    return groups
