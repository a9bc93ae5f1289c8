"""Read every tensor of a float graph on onnxruntime's CPU provider, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from aipc.core.errors import ModelLoadError, QairtError

from .cpu import Arrays, check_inputs

_BUDGET_BYTES = 1 << 30


class Observer:
    """A graph with its tensors as outputs, in as few runs a sample as the memory for them allows.

    Args:
        model: path of the ONNX file; it must have static shapes.
        tensors: (name, bytes) of what is wanted, in any order.
        budget: bytes of tensors that may be alive at once.

    Raises:
        ModelLoadError: onnxruntime cannot load the graph.
    """

    def __init__(self, model: Path, tensors: Sequence[tuple[str, int]], budget: int = _BUDGET_BYTES) -> None:
        proto = onnx.load(str(model), load_external_data=False)
        outputs = {value.name for value in proto.graph.output}
        proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name, _ in tensors if name not in outputs)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        # As the nodes are written: a fused node would hide the tensors inside of it.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        # onnxruntime finds external data beside the file only.
        tapped = model.with_name(f".{model.stem}.observed.onnx")
        try:
            onnx.save(proto, str(tapped))
            self._session = ort.InferenceSession(str(tapped), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelLoadError(f"onnxruntime cannot run {model.name}", detail=str(error)) from error
        finally:
            tapped.unlink(missing_ok=True)
        self._groups = _groups(tensors, budget)

    def run(self, inputs: Mapping[str, np.ndarray[Any, Any]]) -> Iterator[Arrays]:
        """The tensors of one sample, a group at a time.

        Args:
            inputs: one array for each graph input, in its shape and dtype.

        Raises:
            InputError: an input does not fit. QairtError: a node raised.
        """
        feeds = check_inputs(self._session.get_inputs(), inputs)
        for group in self._groups:
            try:
                values = self._session.run(group, feeds)
            except Exception as error:
                raise QairtError("onnxruntime failed while running the model", detail=str(error)) from error
            yield {name: np.asarray(value) for name, value in zip(group, values, strict=True)}


def _groups(tensors: Sequence[tuple[str, int]], budget: int) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    used = 0
    for name, size in tensors:
        if groups[-1] and used + size > budget:
            groups.append([])
            used = 0
        groups[-1].append(name)
        used += size
    return groups
